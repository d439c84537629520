/** Filters of the history, as conditions of SQL. */

/** Only entries that match all of what is given. */
export interface HistoryFilter {
  /** The caller's name, or the subject of the token. */
  readonly by?: string;
  /** The event, or the cause of an entry: `fail`, `override`. */
  readonly event?: string;
  /** A state that the request named, or that was entered. */
  readonly state?: string;
  /** ms since the epoch; both ends are included. */
  readonly since?: number;
  readonly until?: number;
  /** Only entries that have changed the active states, or begun or ended a pause. */
  readonly isMove?: true;
}

/** @returns a condition that holds for the rows of `history` that match, and its parameters. */
export function conditionOf({ by, event, state, since, until, isMove: onlyMoves }: HistoryFilter): {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
} {
  const parts: [string, ...(string | number)[]][] = [];
  if (by !== undefined) parts.push(['(by = ? OR sub = ?)', by, by]);
  if (event !== undefined) parts.push(['(event = ? OR cause = ?)', event, event]);
  // `entered` is a list of names as JSON.
  if (state !== undefined) parts.push(['(state = ? OR instr(entered, ?) > 0)', state, JSON.stringify(state)]);
  if (since !== undefined) parts.push(['at >= ?', since]);
  if (until !== undefined) parts.push(['at <= ?', until]);
  if (onlyMoves) parts.push(["(before <> after OR entered <> '[]' OR cause IN ('pause', 'resume'))"]);
  return {
    sql: parts.map(([sql]) => ` AND ${sql}`).join(''),
    parameters: parts.flatMap(([, ...parameters]) => parameters),
  };
}

/** Whether an entry matches, as the condition says: objects of an earlier version do not know filters. */
export function fitsFilter(
  entry: {
    readonly at: number;
    readonly cause: string;
    readonly event: string | null;
    readonly state: string | null;
    readonly by: string | null;
    readonly sub: string | null;
    readonly entered: readonly string[];
  },
  { by, event, state, since, until }: HistoryFilter,
): boolean {
  return (
    (by === undefined || by === entry.by || by === entry.sub) &&
    (event === undefined || event === entry.event || event === entry.cause) &&
    (state === undefined || state === entry.state || entry.entered.includes(state)) &&
    (since === undefined || entry.at >= since) &&
    (until === undefined || entry.at <= until)
  );
}

/** Whether an entry is one of `isMove`: objects of an earlier version do not know this filter. */
export function isMove({
  cause,
  from,
  to,
  entered,
}: {
  readonly cause: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly entered: readonly string[];
}): boolean {
  return entered.length > 0 || cause === 'pause' || cause === 'resume' || from.join('\n') !== to.join('\n');
}
