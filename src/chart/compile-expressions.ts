/** Compiles what a chart writes as expressions, its guards and its actions, to xstate's. */
import { assign, cancel, raise } from 'xstate';
import type { Evaluator } from './evaluator.ts';
import type { CheckedGuard, Json, Scope } from './expression.ts';
import type { ActionModel, Assignment, Model, StateNumber } from './model.ts';
import { type Action, all, either, type Guard, type GuardArguments, inState } from './xstate-config.ts';
import { doneState, labelOf, writtenDoneEvent } from './xstate-names.ts';

export class ExpressionCompiler {
  readonly #model: Model;
  readonly #evaluator: Evaluator;

  constructor(model: Model, evaluator: Evaluator) {
    this.#model = model;
    this.#evaluator = evaluator;
  }

  /**
   * A guard with `in_state` becomes a list of guards. Only xstate's `stateIn` sees the configuration of the microstep, so
   * its results are recorded first, and the expression is evaluated last.
   */
  guard({ cel, asks = [] }: CheckedGuard<StateNumber>): Guard {
    const answers = new Map<string, boolean>();
    const note =
      (name: string, isIn: boolean): Guard =>
      () => {
        answers.set(name, isIn);
        return true;
      };
    const ask = ([name, state]: readonly [string, StateNumber]) =>
      either(all([inState(state), note(name, true)]), note(name, false));
    return all([...asks.map(ask), (args) => this.#evaluator.guard(cel, this.#scope(args), answers)]);
  }

  /** Compiles a list of actions. */
  actions(actions: readonly ActionModel[] = []): Action[] {
    return actions.map((action) => {
      if ('cancel' in action) return cancel(labelOf(action.cancel));
      if ('assign' in action) return this.#assign(action.assign);
      const { raise: type, delay, id } = action;
      return raise(
        { type },
        { ...(delay === undefined ? {} : { delay }), ...(id === undefined ? {} : { id: labelOf(id) }) },
      );
    });
  }

  /** All expressions of one `assign` see the context from before it. */
  #assign(assignments: readonly Assignment[]): Action {
    return assign(({ context, event }: GuardArguments) => {
      const scope = this.#scope({ context, event });
      const data: Record<string, Json> = Object.assign(Object.create(null), context.data);
      for (const { key, to } of assignments)
        data[key] = 'cel' in to ? this.#evaluator.value(to.cel, scope) : to.value;
      this.#evaluator.admit(data);
      return { data };
    });
  }

  #scope({ context, event }: GuardArguments): Scope {
    const type = event.own ?? this.#eventName(event.type);
    return { context: context.data, event: event.data === undefined ? { type } : { type, data: event.data } };
  }

  /** An event as the chart writes it: a done event has the state's name, and in xstate its key. */
  #eventName(type: string): string {
    const done = doneState(type);
    return done === undefined ? type : writtenDoneEvent(this.#model.states[done]?.name ?? '');
  }
}
