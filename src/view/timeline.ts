/** The visits of a machine's states, from its history: what the timeline draws. */
import type { View } from '../objects/view-data.ts';

/** The time from entering a state to leaving it. */
export interface Visit {
  /** ms since the epoch */
  readonly from: number;
  /** ms since the epoch; undefined while the state is active. */
  readonly until: number | undefined;
  /** Whether it began before the first entry that was read. */
  readonly isCut: boolean;
  /** Whether the machine was moved into it by hand. */
  readonly isByHand: boolean;
}

export interface Timeline {
  /** Where it begins, ms since the epoch. */
  readonly since: number;
  /** The last change of states, ms since the epoch. */
  readonly changed: number;
  /** The visits of each state, in the order of their beginnings. */
  readonly visits: ReadonlyMap<string, readonly Visit[]>;
  /** Pauses; the last one may have no end yet. */
  readonly pauses: readonly { readonly from: number; readonly until: number | undefined }[];
  /** Whether there was more before `since`. */
  readonly isCut: boolean;
}

/** What the timeline needs of an entry. */
export type Move = Pick<View['history'][number], 'at' | 'cause' | 'from' | 'to' | 'entered'>;

interface TimelineSource {
  /** Entries that have changed the states or a pause, the newest first. */
  readonly moves: readonly Move[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
  /** Since when the machine is paused, ms since the epoch; undefined if it is not. */
  readonly pausedSince: number | undefined;
  /** The active states of a machine that has no entries. */
  readonly states: readonly string[];
  /** The most visits; the oldest are left out. */
  readonly most: number;
  /** ms since the epoch */
  readonly now: number;
}

/** Reads the visits. The time is linear in the names that the entries have. */
export function timelineOf({ moves, hasMore, pausedSince, states, most, now }: TimelineSource): Timeline {
  const begun = moves.at(-1)?.at ?? now;
  const walk = new Walk(moves.at(-1)?.from ?? states, begun);
  for (const move of moves.toReversed()) walk.take(move);
  const pauses: Timeline['pauses'][number][] = [...walk.pauses];
  if (pausedSince !== undefined) pauses.push({ from: Math.max(pausedSince, begun), until: undefined });
  const found = walk.end();
  const kept = found.slice(-most);
  const since = kept.length < found.length ? (kept[0]?.visit.from ?? begun) : begun;
  const visits = new Map<string, Visit[]>();
  for (const { state, visit } of kept) {
    const list = visits.get(state);
    if (list === undefined) visits.set(state, [visit]);
    else list.push(visit);
  }
  return {
    since,
    changed: moves[0]?.at ?? now,
    visits,
    pauses: pauses.filter(({ until = now }) => until >= since),
    isCut: hasMore || kept.length < found.length,
  };
}

interface Found {
  readonly state: string;
  readonly visit: Visit;
}

/** Follows the entries, the oldest first. */
class Walk {
  readonly pauses: { readonly from: number; readonly until: number }[] = [];
  readonly #ended: Found[] = [];
  readonly #open = new Map<string, Omit<Visit, 'until'>>();
  readonly #begun: number;
  #pausedSince: number | undefined;

  /** @param states those that were active when the first entry was written. */
  constructor(states: readonly string[], begun: number) {
    this.#begun = begun;
    for (const state of states) this.#open.set(state, { from: begun, isCut: true, isByHand: false });
  }

  take({ at, cause, from, to, entered }: Move): void {
    const after = new Set(to);
    const again = new Set(entered);
    for (const state of from) if (!after.has(state) || again.has(state)) this.#close(state, at);
    // A restore can leave states that no entry has left.
    for (const state of [...this.#open.keys()]) if (!after.has(state)) this.#close(state, at);
    for (const state of again) {
      if (!after.has(state)) this.#enter(state, at, cause).#close(state, at);
    }
    for (const state of to) if (!this.#open.has(state)) this.#enter(state, at, cause);
    if (cause === 'pause') this.#pausedSince ??= at;
    if (cause === 'resume' || cause === 'start' || cause === 'reset') this.#resume(at);
  }

  /** @returns all visits, in the order of their beginnings. */
  end(): Found[] {
    const open = [...this.#open].map(([state, visit]) => ({ state, visit: { ...visit, until: undefined } }));
    return [...this.#ended, ...open].sort((a, b) => a.visit.from - b.visit.from);
  }

  #enter(state: string, at: number, cause: Move['cause']): this {
    this.#open.set(state, { from: at, isCut: false, isByHand: cause === 'override' });
    return this;
  }

  #close(state: string, until: number): void {
    const visit = this.#open.get(state);
    if (visit === undefined) return;
    this.#open.delete(state);
    // What the first entry has left has no time in the picture.
    if (!visit.isCut || until > this.#begun) this.#ended.push({ state, visit: { ...visit, until } });
  }

  #resume(until: number): void {
    if (this.#pausedSince !== undefined) this.pauses.push({ from: this.#pausedSince, until });
    this.#pausedSince = undefined;
  }
}
