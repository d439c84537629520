/**
 * Whether a history of calls could have come from one machine that does one thing at a time: Wing and Gong's search
 * ("Testing and verifying concurrent objects", 1993), which never looks twice at the same place, as Lowe has it
 * ("Testing for linearizability", 2017): a place is what was linearized so far, and the state that this has led to.
 */
import { latest, type Operation } from './history.ts';

/** What is true of the machine, done one after the other. */
export interface Model<State, Request, Answer> {
  readonly initial: State;
  /**
   * Takes one call.
   *
   * @param before the moment at which it has happened at the latest: others that have yet to happen had returned.
   * @returns the states in which it can have left the machine, given its answer; none where it cannot have been
   *   answered so. Of a call whose outcome is not known, only states that differ: that it has changed nothing is as
   *   good as its never having happened.
   */
  step(state: State, operation: Operation<Request, Answer>, before: number): Iterable<State>;
  /** Equal for states of which neither does anything that the other does not. */
  key(state: State): string;
}

export type Verdict<State, Request, Answer> =
  | {
      readonly ok: true;
      /** In one order in which they can have happened, those whose outcome is not known only where they have. */
      readonly order: readonly Operation<Request, Answer>[];
      readonly state: State;
    }
  | { readonly ok: false; readonly gaveUp: boolean; readonly stuck: Stuck<State, Request, Answer> };

/** The furthest that the search has come. */
interface Stuck<State, Request, Answer> {
  readonly order: readonly Operation<Request, Answer>[];
  readonly state: State;
  /** Those of which one had to be next, and none can be. */
  readonly next: readonly Operation<Request, Answer>[];
}

/** Places that are looked at before a search is given up: some hundred times as many as a run of 1,500 calls has calls. */
const PLACES = 200_000;

/** Looks for an order. A search that takes too long is no success. */
export function linearize<State, Request, Answer>(
  history: readonly Operation<Request, Answer>[],
  model: Model<State, Request, Answer>,
  places = PLACES,
): Verdict<State, Request, Answer> {
  const frontier = new Frontier(history);
  const seen = new Set<string>();
  const path: Place<State>[] = [{ state: model.initial, moves: movesFrom(model.initial), by: undefined }];
  let furthest: Stuck<State, Request, Answer> | undefined;

  for (let place = path.at(-1); place !== undefined; place = path.at(-1)) {
    if (frontier.isDone) return { ok: true, order: orderOf(path), state: place.state };
    if (furthest === undefined || path.length > furthest.order.length + 1) {
      const next = frontier.candidates().map((i) => frontier.at(i));
      furthest = { order: orderOf(path), state: place.state, next };
    }
    if (seen.size >= places) return { ok: false, gaveUp: true, stuck: furthest };
    const { done, value: move } = place.moves.next();
    if (done) {
      path.pop();
      if (place.by !== undefined) frontier.undo(place.by);
      continue;
    }
    frontier.do(move.index);
    const key = `${frontier.key()} ${model.key(move.state)}`;
    if (seen.has(key)) frontier.undo(move.index);
    else {
      seen.add(key);
      path.push({ state: move.state, moves: movesFrom(move.state), by: move.index });
    }
  }
  if (furthest === undefined) throw new Error('a search has to begin somewhere');
  return { ok: false, gaveUp: false, stuck: furthest };

  /** Everything that can come next. It is asked for only while what was done is as it was at the beginning. */
  function* movesFrom(state: State): Generator<Move<State>, undefined> {
    const before = frontier.before;
    for (const index of frontier.candidates()) {
      for (const next of model.step(state, frontier.at(index), before)) yield { index, state: next };
    }
    return undefined;
  }

  function orderOf(places: readonly Place<State>[]): Operation<Request, Answer>[] {
    return places.flatMap(({ by }) => (by === undefined ? [] : [frontier.at(by)]));
  }
}

interface Place<State> {
  readonly state: State;
  readonly moves: Generator<Move<State>, undefined>;
  /** The call that has led here. */
  readonly by: number | undefined;
}

interface Move<State> {
  readonly index: number;
  readonly state: State;
}

/** Which calls were linearized, and which can be next. What is done is undone in the opposite order. */
class Frontier<Request, Answer> {
  /** In the order in which they were made: those whose outcome is known, then the others. */
  readonly #operations: readonly Operation<Request, Answer>[];
  /** How many of them have a known outcome. */
  readonly #known: number;
  readonly #done: boolean[];
  /** The index before which all are done, and how it has come there. */
  #base = 0;
  readonly #before: { readonly base: number; readonly now: number }[] = [];
  /** When the last of those that are done was called: what comes next comes after. */
  #now = Number.NEGATIVE_INFINITY;

  constructor(history: readonly Operation<Request, Answer>[]) {
    const inOrder = [...history].sort((a, b) => a.called - b.called);
    const known = inOrder.filter(({ outcome }) => outcome.known);
    this.#known = known.length;
    this.#operations = [...known, ...inOrder.filter(({ outcome }) => !outcome.known)];
    this.#done = inOrder.map(() => false);
  }

  at(index: number): Operation<Request, Answer> {
    const operation = this.#operations[index];
    if (operation === undefined) throw new RangeError(`no operation ${index}`);
    return operation;
  }

  /** Nobody waits any more for those whose outcome is not known. */
  get isDone(): boolean {
    return this.#base === this.#known;
  }

  /** The first return among those that are not done: whatever comes next comes before it. */
  get before(): number {
    let before = Number.POSITIVE_INFINITY;
    for (let i = this.#base; i < this.#known && this.at(i).called <= before; i++) {
      if (!this.#done[i]) before = Math.min(before, latest(this.at(i)));
    }
    return before;
  }

  /** Those that can be next: nothing that is yet to come had returned when they were called. The first to return first. */
  candidates(): number[] {
    const { before } = this;
    const known: number[] = [];
    for (let i = this.#base; i < this.#known && this.at(i).called <= before; i++) {
      if (!this.#done[i]) known.push(i);
    }
    known.sort((a, b) => latest(this.at(a)) - latest(this.at(b)));
    return [...known, ...this.#open().filter((i) => this.at(i).called <= before)];
  }

  do(index: number): void {
    this.#before.push({ base: this.#base, now: this.#now });
    this.#done[index] = true;
    this.#now = Math.max(this.#now, this.at(index).called);
    while (this.#base < this.#known && this.#done[this.#base]) this.#base += 1;
  }

  undo(index: number): void {
    const before = this.#before.pop();
    if (before === undefined) throw new RangeError('nothing is done');
    this.#done[index] = false;
    this.#base = before.base;
    this.#now = before.now;
  }

  /** What was done, as far as it matters to what can still come. */
  key(): string {
    const { before } = this;
    const ahead: number[] = [];
    for (let i = this.#base; i < this.#known && this.at(i).called <= before; i++) {
      if (this.#done[i]) ahead.push(i);
    }
    return `${this.#base} ${ahead} ${this.#open()}`;
  }

  /** Those whose outcome is not known that have not taken effect, and still can. */
  #open(): number[] {
    const open: number[] = [];
    for (let i = this.#known; i < this.#operations.length; i++) {
      if (!this.#done[i] && latest(this.at(i)) >= this.#now) open.push(i);
    }
    return open;
  }
}
