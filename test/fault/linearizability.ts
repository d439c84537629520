/**
 * Decides whether a history of calls can come from one machine that executes one call at a time. It is the search of
 * Wing and Gong ("Testing and verifying concurrent objects", 1993) with the memory of Lowe ("Testing for
 * linearizability", 2017), which visits no place twice. A place is the set of calls that were linearized so far, and
 * the state after them.
 */
import { latest, type Operation } from './history.ts';

/** The sequential specification of the machine. */
export interface Model<State, Request, Answer> {
  readonly initial: State;
  /**
   * Applies one call.
   *
   * @param bound what the calls that are not linearized yet leave possible.
   * @returns the states that the call can have led to, given its answer; none if no state explains the answer. For a
   *   call whose outcome is not known, only states that differ from `state`: a call without an effect is left out of
   *   the order.
   */
  step(state: State, operation: Operation<Request, Answer>, bound: Bound): Iterable<State>;
  /** Equal for states that behave the same, and only for those. */
  key(state: State): string;
  /** Never less in a state than in one before it. */
  rank(state: State): number;
  /** The highest rank of the state that a call leads to, given its answer. */
  most(operation: Operation<Request, Answer>): number;
}

/** What holds for the next call, because other calls must follow it. */
export interface Bound {
  /** The latest moment at which it took effect: the others had returned by then. */
  readonly before: number;
  /** The highest rank of the state after it. */
  readonly most: number;
}

export type Verdict<State, Request, Answer> =
  | {
      readonly ok: true;
      /** An order that explains the answers. It has the calls with an unknown outcome only where they took effect. */
      readonly order: readonly Operation<Request, Answer>[];
      readonly state: State;
    }
  | { readonly ok: false; readonly gaveUp: boolean; readonly stuck: Stuck<State, Request, Answer> };

/** The longest order that the search has found. */
interface Stuck<State, Request, Answer> {
  readonly order: readonly Operation<Request, Answer>[];
  readonly state: State;
  /** One of these calls had to be next, and none can be. */
  readonly next: readonly Operation<Request, Answer>[];
}

/**
 * The bound of the calls that a search tries: so many for each call of the history, and no fewer than the least. A call takes
 * some 30 µs, and a search usually tries each some ten times. With many unknown outcomes it may try millions.
 */
const STEPS = { perCall: 1_000, least: 200_000 };

/** Searches for an order. A search that reaches its bound has no success. */
export function linearize<State, Request, Answer>(
  history: readonly Operation<Request, Answer>[],
  model: Model<State, Request, Answer>,
  most = Math.max(STEPS.least, STEPS.perCall * history.length),
): Verdict<State, Request, Answer> {
  const frontier = new Frontier(history);
  const seen = new Seen();
  const { initial } = model;
  const path: Place<State>[] = [
    { state: initial, moves: movesFrom(initial, model.key(initial)), by: undefined },
  ];
  let furthest = { state: initial, order: [] as number[], next: frontier.candidates() };
  /** How many calls of the longest order are those of the path: copying all of it each time would be quadratic. */
  let shared = 0;
  let steps = 0;

  for (let place = path.at(-1); place !== undefined; place = path.at(-1)) {
    if (path.length > furthest.order.length + 1) {
      const { order } = furthest;
      for (; shared < path.length - 1; shared++) order[shared] = path[shared + 1]?.by ?? 0;
      furthest = { state: place.state, order, next: frontier.candidates() };
    }
    if (frontier.isDone) {
      const order = path.flatMap(({ by }) => (by === undefined ? [] : [by]));
      return { ok: true, order: operationsOf(order), state: place.state };
    }
    if (steps >= most) return { ok: false, gaveUp: true, stuck: stuckAt() };
    const { done, value: move } = place.moves.next();
    if (done) {
      path.pop();
      shared = Math.min(shared, path.length - 1);
      if (place.by !== undefined) frontier.undo(place.by);
      continue;
    }
    frontier.do(move.index);
    if (seen.has(`${frontier.key()} ${move.key}`, frontier.spare())) frontier.undo(move.index);
    else {
      const isDeadEnd = model.rank(move.state) > mostOf(frontier.open());
      path.push({
        state: move.state,
        moves: isDeadEnd ? none() : movesFrom(move.state, move.key),
        by: move.index,
      });
    }
  }
  return { ok: false, gaveUp: false, stuck: stuckAt() };

  /**
   * Generates the next calls: all that are possible, or those up to one without an effect, which loses nothing by being
   * first. It is advanced only while the frontier is as it was when this was called.
   */
  function* movesFrom(state: State, from: string): Generator<Move<State>, undefined> {
    const bound = { before: frontier.before, most: mostOf(frontier.open()) };
    for (const index of frontier.candidates()) {
      steps += 1;
      for (const next of model.step(state, frontier.at(index), bound)) {
        const key = model.key(next);
        yield { index, state: next, key };
        if (key === from) return undefined;
      }
    }
    return undefined;
  }

  function mostOf(calls: readonly Operation<Request, Answer>[]): number {
    return Math.min(...calls.map((call) => model.most(call)));
  }

  function stuckAt(): Stuck<State, Request, Answer> {
    const { state, order, next } = furthest;
    return { state, order: operationsOf(order), next: operationsOf(next) };
  }

  function operationsOf(indexes: readonly number[]): Operation<Request, Answer>[] {
    return indexes.map((index) => frontier.at(index));
  }
}

/** The places that were visited. */
class Seen {
  readonly #spare = new Map<string, (readonly number[])[]>();

  /**
   * Whether a place was visited; if not, it is from now on. A place is no better than one with the same key and more calls to
   * spare: those need not take effect.
   */
  has(key: string, spare: readonly number[]): boolean {
    const known = this.#spare.get(key) ?? [];
    if (known.some((more) => isWithin(spare, more))) return true;
    this.#spare.set(key, [...known, spare]);
    return false;
  }
}

/** Whether all of some ascending numbers are among others, which ascend as well. */
function isWithin(some: readonly number[], others: readonly number[]): boolean {
  let at = 0;
  for (const number of others) if (number === some[at]) at += 1;
  return at === some.length;
}

function* none(): Generator<never, undefined> {}

interface Place<State> {
  readonly state: State;
  readonly moves: Generator<Move<State>, undefined>;
  /** The call that led to this place. */
  readonly by: number | undefined;
}

interface Move<State> {
  readonly index: number;
  readonly state: State;
  readonly key: string;
}

/** The calls that were linearized, and those that can be next. `undo` reverts `do` in reverse order. */
class Frontier<Request, Answer> {
  /** In the order of their calls: first those with a known outcome, then the others. */
  readonly #operations: readonly Operation<Request, Answer>[];
  /** The number of calls with a known outcome. */
  readonly #known: number;
  readonly #done: boolean[];
  /** The index before which all calls are linearized, and its earlier values. */
  #base = 0;
  readonly #before: { readonly base: number; readonly now: number }[] = [];
  /** When the last linearized call was called: the next one takes effect later. */
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

  /** Whether all calls with a known outcome are linearized. Those with an unknown one may never have taken effect. */
  get isDone(): boolean {
    return this.#base === this.#known;
  }

  /** The first return of the calls that are not linearized: the next one takes effect earlier. */
  get before(): number {
    let before = Number.POSITIVE_INFINITY;
    for (let i = this.#base; i < this.#known && this.at(i).called <= before; i++) {
      if (!this.#done[i]) before = Math.min(before, latest(this.at(i)));
    }
    return before;
  }

  /**
   * The calls that can be next: no other open call returned before they were called. The first to return is first.
   */
  candidates(): number[] {
    const { before } = this;
    const known = this.#openKnown(before);
    known.sort((a, b) => latest(this.at(a)) - latest(this.at(b)));
    return [...known, ...this.spare().filter((i) => this.at(i).called <= before)];
  }

  /** The calls with a known outcome that can be next. */
  open(): Operation<Request, Answer>[] {
    return this.#openKnown(this.before).map((i) => this.at(i));
  }

  #openKnown(before: number): number[] {
    const known: number[] = [];
    for (let i = this.#base; i < this.#known && this.at(i).called <= before; i++) {
      if (!this.#done[i]) known.push(i);
    }
    return known;
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

  /** The linearized calls with a known outcome, as far as they matter to what can come next. */
  key(): string {
    const { before } = this;
    const ahead: number[] = [];
    for (let i = this.#base; i < this.#known && this.at(i).called <= before; i++) {
      if (this.#done[i]) ahead.push(i);
    }
    return `${this.#base} ${ahead}`;
  }

  /** The calls with an unknown outcome that are not linearized, and can still take effect; ascending. */
  spare(): number[] {
    const open: number[] = [];
    for (let i = this.#known; i < this.#operations.length; i++) {
      if (!this.#done[i] && latest(this.at(i)) >= this.#now) open.push(i);
    }
    return open;
  }
}
