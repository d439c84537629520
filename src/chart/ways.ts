/** The ways that an event can take from a state, as a page explains them before the event is sent. */
import type { Program } from './compile.ts';
import { BoundError } from './evaluator.ts';
import type { CheckedGuard } from './expression.ts';
import { leadsToFailure } from './failing.ts';
import { type StateNumber, type TransitionModel, UPDATE } from './model.ts';
import { isActive, nameOf } from './queries.ts';
import type { Snapshot } from './snapshot.ts';

/** One transition of an event. */
export interface Way {
  /** The states that it leads to; empty if it leaves the states as they are. */
  readonly targets: readonly string[];
  readonly guard?: {
    readonly cel: string;
    /** Whether it is true at present; absent if that depends on the event, or cannot be told. */
    readonly holds?: boolean;
  };
  /** Whether it is taken only by the last of several events. */
  readonly isCounted: boolean;
}

/** Tells the ways of events in one machine. All guards share the budget of one event. */
export class WayFinder {
  readonly #program: Program;
  readonly #snapshot: Snapshot;

  constructor(program: Program, snapshot: Snapshot) {
    this.#program = program;
    this.#snapshot = snapshot;
    program.evaluator.begin(snapshot.terms);
  }

  /** @returns the ways that `event` of `state` can take, in the order in which they are tried. */
  ways(state: StateNumber, event: string): Way[] {
    return this.#transitions(state, event).map(({ targets = [], guard, quorum }) => ({
      targets: targets.map((target) => nameOf(this.#program, target)),
      ...(guard === undefined ? {} : { guard: { cel: guard.cel, ...this.#present(guard, event) } }),
      isCounted: quorum !== undefined,
    }));
  }

  /**
   * Whether `event` of `state` leads to failure, at once or as one of several: where it leads anywhere, the chart has failed or
   * can end only in failure. In a state that can end only in failure, `update` is what goes on.
   */
  givesUp(state: StateNumber, event: string): boolean {
    const { model } = this.#program;
    const ways = this.#transitions(state, event).flatMap(({ targets }) =>
      targets === undefined ? [] : [targets],
    );
    if (ways.length === 0 || (event === UPDATE && leadsToFailure(model, [state]))) return false;
    return ways.every((targets) => leadsToFailure(model, targets));
  }

  #transitions(state: StateNumber, event: string): readonly TransitionModel[] {
    const { on = [] } = this.#program.model.states[state] ?? {};
    return on.find((item) => item.event === event)?.transitions ?? [];
  }

  #present({ cel, asks = [] }: CheckedGuard<StateNumber>, event: string): { readonly holds?: boolean } {
    if (NEEDS_EVENT.test(cel)) return {};
    const answers = new Map(asks.map(([name, state]) => [name, isActive(this.#snapshot, state)]));
    const scope = { context: this.#snapshot.machine.context.data, event: { type: event } };
    try {
      return { holds: this.#program.evaluator.guard(cel, scope, answers) };
    } catch (error) {
      if (error instanceof BoundError) return {};
      throw error;
    }
  }
}

/** Whether an expression may read the data of the event. */
const NEEDS_EVENT = /\bevent\b/;
