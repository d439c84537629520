/** What has become durable of each machine, as an observer of its storage sees it. */
import { HISTORY_ROWS } from '../../src/limits.ts';
import type { Database } from './database.ts';
import { type Home, type Observer, shortOf } from './homes.ts';
import type { Scheduler } from './scheduler.ts';

/** An entry of the history that became durable. */
export interface JournalEntry {
  readonly id: number;
  readonly revision: number;
  /** ms since the epoch, by the machine. */
  readonly at: number;
  readonly cause: string;
  readonly event: string | null;
  readonly state: string | null;
  readonly by: string | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly entered: readonly string[];
  readonly notes: readonly string[];
  /** The id of the action whose report this is. */
  readonly action: number | undefined;
  /** When it became durable, simulated ms. */
  readonly durable: number;
  /** Counts the machines of the address: 1 more after each erasure. */
  readonly life: number;
}

/** The durable history of one address, also of machines that were erased. */
export interface Chronicle {
  readonly entries: JournalEntry[];
  /** Of the present machine: entries so far. */
  written: number;
  life: number;
  /** The active states of the present machine. */
  states: readonly string[];
  /** Whether one commit has written more entries than the history keeps. */
  hasGap: boolean;
  /** Entries of a machine that is erased in the commit that has not begun: another object wrote them just before. */
  erased: readonly Omit<JournalEntry, 'life' | 'durable'>[] | undefined;
}

export class Journal implements Observer {
  readonly chronicles = new Map<string, Chronicle>();
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  of(path: string): Chronicle {
    let chronicle = this.chronicles.get(path);
    if (chronicle === undefined) {
      chronicle = { entries: [], written: 0, life: 1, states: [], hasGap: false, erased: undefined };
      this.chronicles.set(path, chronicle);
    }
    return chronicle;
  }

  committing(home: Home): () => void {
    const path = shortOf(home.name);
    const chronicle = this.of(path);
    const entries = entriesOf(home.database);
    const { erased = [] } = chronicle;
    const isErased = entries < chronicle.written || erased.length > 0;
    chronicle.erased = undefined;
    const life = isErased ? chronicle.life + 1 : chronicle.life;
    const rows =
      isErased || entries > chronicle.written
        ? read(home.database, isErased ? 0 : chronicle.written, entries)
        : [];
    return () => {
      for (const row of erased) {
        if (row.id > chronicle.written)
          chronicle.entries.push({ ...row, life: chronicle.life, durable: this.#scheduler.now });
      }
      chronicle.life = life;
      chronicle.hasGap ||= entries - (isErased ? 0 : chronicle.written) > HISTORY_ROWS;
      chronicle.written = entries;
      if (isErased) chronicle.states = [];
      for (const row of rows) chronicle.entries.push({ ...row, life, durable: this.#scheduler.now });
      chronicle.states = rows.at(-1)?.to ?? chronicle.states;
    };
  }

  clearing(home: Home): void {
    const chronicle = this.of(shortOf(home.name));
    chronicle.erased ??= read(home.database, chronicle.written, entriesOf(home.database));
  }

  takenBack(home: Home): void {
    this.of(shortOf(home.name)).erased = undefined;
  }
}

/** @returns who holds a slot of a state. */
export function holdersOf({ entries, life }: Chronicle, state: string): string[] {
  const holders = new Set<string>();
  for (const entry of entries) {
    if (entry.life !== life) continue;
    if (entry.entered.includes(state) || !entry.to.includes(state)) holders.clear();
    if (entry.state !== state || entry.by === null) continue;
    if (entry.cause === 'claim') holders.add(entry.by);
    else if (ENDS.has(entry.cause)) holders.delete(entry.by);
  }
  return [...holders];
}

/** Causes of entries that end a claim. */
const ENDS: ReadonlySet<string> = new Set(['release', 'lease-expired', 'update']);

/** @returns how many entries the machine has written; 0 where there is none. */
function entriesOf(database: Database): number {
  const [row] = rowsOf<{ entries: number }>(database, 'SELECT entries FROM machine');
  return row?.entries ?? 0;
}

type Row = Readonly<Record<'revision' | 'at', number>> &
  Readonly<Record<'before' | 'after' | 'entered' | 'notes' | 'cause', string>> &
  Readonly<Record<'event' | 'state' | 'by' | 'data', string | null>>;

/** Reads the entries after one: entry `n` is in slot `n` modulo `HISTORY_ROWS`. */
function read(database: Database, after: number, last: number): Omit<JournalEntry, 'life' | 'durable'>[] {
  const first = Math.max(after, last - HISTORY_ROWS) + 1;
  const ids = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return ids.flatMap((id) => {
    const rows = rowsOf<Row>(
      database,
      `SELECT revision, at, cause, event, state, by, before, after, entered, notes, data FROM history
        WHERE slot = ?`,
      id % HISTORY_ROWS,
    );
    return rows.map(({ revision, at, cause, event, state, by, before, after, entered, notes, data }) => ({
      ...{ id, revision, at, cause, event, state, by },
      from: JSON.parse(before) as string[],
      to: JSON.parse(after) as string[],
      entered: JSON.parse(entered) as string[],
      notes: JSON.parse(notes) as string[],
      action: data === null ? undefined : (JSON.parse(data) as { readonly id: number }).id,
    }));
  });
}

/** Reads rows as they are now, durable or not; none where there is no table. */
export function rowsOf<Row>(database: Database, query: string, ...bindings: SqlStorageValue[]): Row[] {
  try {
    return database.read(query, bindings) as Row[];
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no such table')) return [];
    throw error;
  }
}
