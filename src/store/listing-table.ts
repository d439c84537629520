import { LISTED_STATE, LISTED_STATES } from '../limits.ts';
import type { Condition, ListCounts, ListCursor, Listing, Order } from '../listing.ts';
import { RowParser } from './row-parser.ts';

/** The columns of a machine's row that its listing is in: see `TENANT_SCHEMA`. */
type ListedRow = {
  chart: string;
  run: string;
  revision: number;
  states: string | null;
  state: string;
  since: number;
  outcome: string;
  paused: number;
  deadline: number | null;
  late_at: number | null;
};

type CountedRow = Pick<ListedRow, 'chart' | 'run' | 'outcome' | 'paused' | 'late_at'>;
type CountsRow = { machines: number; late: number; failed: number; paused: number };

const COLUMNS_TOLD = 'chart, run, revision, states, state, since, outcome, paused, deadline, late_at';
const ROW = new RowParser<ListedRow>('machine', 'chart', 'run');

/** Which machines are asked for. */
export interface ListFilter {
  readonly chart?: string | undefined;
  /** What the names of the charts begin with, any of these. */
  readonly prefixes?: readonly string[] | undefined;
  /** Part of the address without the tenant, in any case of letters: names are ASCII. */
  readonly text?: string | undefined;
  /** An active state. */
  readonly state?: string | undefined;
  readonly is?: Condition | undefined;
}

/** The address of a machine without the tenant; an empty run for the chart's own machine. */
type Place = Pick<ListCursor, 'chart' | 'run'>;

/** A machine, and what is counted of it. */
export interface Counted extends Place {
  readonly isLate: boolean;
  readonly isFailed: boolean;
  readonly isPaused: boolean;
}

/** A machine of a list, and what the list knows of it. */
export interface Listed extends Counted {
  /** What it is sorted by; absent as in `ListCursor`. */
  readonly value?: string | number;
  /** Returns what it has told, as text: equal for equal moves. Empty for a machine that has told nothing. */
  told(): string;
}

/**
 * The SQL of a tenant's list: what machines have told, in the rows of the registry. A machine that has told nothing, because
 * it began under an earlier version, is in each list that it may belong to.
 */
export class ListingTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Writes what a machine has told, unless it has told the same or something newer, or is not in the registry. */
  write({ chart, run }: Place, listing: Listing): void {
    const before = `SELECT ${COLUMNS_TOLD} FROM machine WHERE chart = ? AND run = ?`;
    const [row] = this.#sql.exec<ListedRow>(before, chart, run).toArray();
    const { revision, states, since, outcome, isPaused, deadline } = listing;
    if (row === undefined || ROW.number(row, 'revision') > revision) return;
    if (row.revision > 0 && toldBy(row) === toldIn(listing)) return;
    const names = JSON.stringify(states);
    this.#sql.exec(
      `UPDATE machine
          SET revision = ?, states = ?, state = ?, since = ?, outcome = ?, paused = ?, deadline = ?, late_at = ?
        WHERE chart = ? AND run = ?`,
      Math.max(1, revision),
      names.length > LISTED_STATES ? null : names,
      stateOf(states),
      since,
      outcome,
      isPaused ? 1 : 0,
      deadline?.at ?? null,
      deadline?.lateAt ?? null,
      chart,
      run,
    );
  }

  /**
   * Reads machines lazily, in an order: no more than the caller iterates over, and those that the filter leaves out.
   *
   * @param after only machines behind this one.
   */
  *rows(filter: ListFilter, order: Order, after: ListCursor | undefined, now: number): Generator<Listed> {
    const condition = conditionOf(filter, now);
    if (order.sort === 'address') {
      yield* this.#read('TRUE', ['chart', 'run'], order.isDescending, after, condition, now);
      return;
    }
    const { column, known } = COLUMNS[order.sort];
    if (after === undefined || after.value !== undefined) {
      const columns = [column, 'chart', 'run'];
      yield* this.#read(known, columns, order.isDescending, after, condition, now, column);
    }
    const rest = after?.value === undefined ? after : undefined;
    yield* this.#read(`NOT (${known})`, ['chart', 'run'], false, rest, condition, now);
  }

  *#read(
    known: string,
    columns: readonly string[],
    isDescending: boolean,
    after: ListCursor | undefined,
    condition: SqlCondition,
    now: number,
    column?: 'state' | 'since' | 'deadline',
  ): Generator<Listed> {
    const direction = isDescending ? ' DESC' : '';
    const behind = isDescending ? '<' : '>';
    const bounds = after && [...(column === undefined ? [] : [after.value ?? 0]), after.chart, after.run];
    const from = bounds === undefined ? '' : ` AND (${columns}) ${behind} (${bounds.map(() => '?')})`;
    const rows = this.#sql.exec<ListedRow>(
      `SELECT ${COLUMNS_TOLD} FROM machine
        WHERE ${known}${condition.sql}${from} ORDER BY ${columns.map((name) => name + direction)}`,
      ...condition.parameters,
      ...(bounds ?? []),
    );
    for (const row of rows) {
      yield {
        ...countedOf(row, now),
        ...(column === undefined ? {} : { value: column === 'state' ? row.state : ROW.number(row, column) }),
        told: () => (row.revision === 0 ? '' : toldBy(row)),
      };
    }
  }

  /** Reads lazily what is counted of each machine, in any order: a list took half as long before its first slice as with `rows`. */
  *counted(filter: ListFilter, now: number): Generator<Counted> {
    const { sql, parameters } = conditionOf(filter, now);
    const rows = this.#sql.exec<CountedRow>(
      `SELECT chart, run, outcome, paused, late_at FROM machine WHERE TRUE${sql}`,
      ...parameters,
    );
    for (const row of rows) yield countedOf(row, now);
  }

  /** Counts the machines that are late, failed or paused: reads a row for each that has a deadline, or is one of these. */
  troubled(now: number): Omit<ListCounts, 'machines'> {
    const [late] = this.#sql
      .exec<{ late: number }>(
        'SELECT count(*) AS late FROM machine WHERE deadline IS NOT NULL AND late_at <= ?',
        now,
      )
      .toArray();
    const [row] = this.#sql
      .exec<{ failed: number; paused: number }>(
        `SELECT coalesce(sum(outcome = 'failed'), 0) AS failed, coalesce(sum(paused), 0) AS paused
           FROM machine WHERE outcome = 'failed' OR paused = 1`,
      )
      .toArray();
    return { late: late?.late ?? 0, failed: row?.failed ?? 0, paused: row?.paused ?? 0 };
  }

  /** Counts the machines of a filter: reads a row for each machine of the tenant, or of the chart. */
  counts(filter: ListFilter, now: number): ListCounts {
    const { sql, parameters } = conditionOf(filter, now);
    return this.#sql
      .exec<CountsRow>(
        `SELECT count(*) AS machines, coalesce(sum(late_at <= ?), 0) AS late,
                coalesce(sum(outcome = 'failed'), 0) AS failed, coalesce(sum(paused), 0) AS paused
           FROM machine WHERE TRUE${sql}`,
        now,
        ...parameters,
      )
      .one();
  }
}

/** The column of each order, and which machines have something in it. */
const COLUMNS = {
  changed: { column: 'since', known: 'revision > 0' },
  state: { column: 'state', known: 'revision > 0' },
  deadline: { column: 'deadline', known: 'deadline IS NOT NULL' },
} as const;

/** A condition of SQL, with its leading AND. */
interface SqlCondition {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

function conditionOf({ chart, prefixes, text = '', state, is }: ListFilter, now: number): SqlCondition {
  const parts: [string, ...(string | number)[]][] = [];
  if (chart !== undefined) parts.push(['chart = ?', chart]);
  if (prefixes !== undefined) {
    const ranges = prefixes.map(() => '(chart >= ? AND chart < ?)').join(' OR ');
    // No character of a name is behind this one.
    parts.push([`(${ranges || 'FALSE'})`, ...prefixes.flatMap((prefix) => [prefix, `${prefix}\x7f`])]);
  }
  if (text !== '')
    parts.push(["instr(lower(chart || iif(run = '', '', '@' || run)), ?) > 0", text.toLowerCase()]);
  if (state !== undefined)
    parts.push(['(revision = 0 OR states IS NULL OR instr(states, ?) > 0)', JSON.stringify(state)]);
  if (is === 'late') parts.push(['(revision = 0 OR late_at <= ?)', now]);
  else if (is === 'paused') parts.push(['(revision = 0 OR paused = 1)']);
  else if (is !== undefined) parts.push(['(revision = 0 OR outcome = ?)', is]);
  return {
    sql: parts.map(([sql]) => ` AND ${sql}`).join(''),
    parameters: parts.flatMap(([, ...parameters]) => parameters),
  };
}

/** Reads an address, and what is counted of its machine. */
function countedOf(row: CountedRow, now: number): Counted {
  const { outcome, paused, late_at } = row;
  return {
    chart: ROW.text(row, 'chart'),
    run: ROW.text(row, 'run'),
    isLate: late_at !== null && late_at <= now,
    isFailed: outcome === 'failed',
    isPaused: paused === 1,
  };
}

/** What is equal where a machine has told of the same moves. */
function toldBy({ states, state, since, outcome, paused, deadline, late_at }: ListedRow): string {
  return JSON.stringify([states ?? state, since, outcome, paused, deadline, late_at]);
}

/** What a listing becomes, as in `Listed`. */
export function toldIn({ states, since, outcome, isPaused, deadline }: Listing): string {
  const names = JSON.stringify(states);
  return JSON.stringify([
    names.length > LISTED_STATES ? stateOf(states) : names,
    since,
    outcome,
    isPaused ? 1 : 0,
    deadline?.at ?? null,
    deadline?.lateAt ?? null,
  ]);
}

/** The innermost of active states, as the list is sorted by them. */
export function stateOf(states: readonly string[]): string {
  const names = states.filter((name, i) => !states[i + 1]?.startsWith(`${name}.`));
  return names.join(', ').slice(0, LISTED_STATE);
}
