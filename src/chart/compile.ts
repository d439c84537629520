/**
 * Compiles a chart's model to an xstate machine.
 *
 * The machine acts only through actions that xstate hands back unexecuted (`Signal`): from these the engine learns
 * which states were entered and left, whether the event was taken, and which timers to set.
 */
import { cancel, createMachine, type MachineConfig } from 'xstate';
import { MICROSTEPS } from '../chart-limits.ts';
import { needOf, partIn } from './audience.ts';
import { ExpressionCompiler } from './compile-expressions.ts';
import { countOf, countOne, forgetCounts, quorumKey } from './counts.ts';
import { Evaluator } from './evaluator.ts';
import {
  ancestorsOf,
  extentOf,
  isRelated,
  type Model,
  type Quorum,
  ROOT,
  type StateModel,
  type StateNumber,
  type TransitionModel,
  withAncestors,
} from './model.ts';
import { parseDelay } from './time.ts';
import {
  type Action,
  type EngineContext,
  type EngineEvent,
  type Guard,
  guarded,
  type StateConfig,
  signal,
  type TransitionConfig,
  targetIds,
} from './xstate-config.ts';
import { delayName, doneEvent, keyOf, metEvent, momentEvent } from './xstate-names.ts';

/** A chart's model, compiled. */
export interface Program {
  readonly model: Model;
  /** Made on the first call: reading a chart at rest does not need it. */
  machine(): XstateMachine;
  readonly evaluator: Evaluator;
  /** Whether states can be active side by side. */
  readonly hasRegions: boolean;
}

export type XstateMachine = ReturnType<typeof machineOf>;

/** xstate's own snapshot. */
export type MachineSnapshot = ReturnType<XstateMachine['getInitialSnapshot']>;

/** Compiles a checked model. `machine` takes some 20 µs a state; each expression is compiled when first evaluated. */
export function compile(model: Model): Program {
  const { regions } = extentOf(model);
  const evaluator = new Evaluator(regions);
  let made: XstateMachine | undefined;
  const machine = () => {
    made ??= machineOf(configOf(model, evaluator), model, evaluator);
    return made;
  };
  return { model, machine, evaluator, hasRegions: regions > 1 };
}

/** @returns xstate's configuration of a chart. */
export function configOf(model: Model, evaluator: Evaluator): StateConfig {
  return new Compiler(model, evaluator).root();
}

/** Makes xstate's machine of a configuration. */
export function machineOf(root: StateConfig, model: Model, evaluator: Evaluator) {
  const config = {
    ...root,
    context: { counts: {}, data: model.context ?? {} },
    options: { maxIterations: MICROSTEPS },
  };
  const machine = createMachine(config as unknown as MachineConfig<EngineContext, EngineEvent>);
  const names = Object.keys(model.inputs ?? {});
  if (names.length === 0) return machine;
  const delays = names.map((input) => [
    delayName({ input }),
    () => parseDelay(evaluator.terms.inputs[input]) ?? 0,
  ]);
  return machine.provide({ delays: Object.fromEntries(delays) });
}

class Compiler {
  readonly #program: Pick<Program, 'model' | 'evaluator'>;
  readonly #evaluator: Evaluator;
  readonly #expressions: ExpressionCompiler;
  readonly #model: Model;
  readonly #children: readonly (readonly StateNumber[])[];

  constructor(model: Model, evaluator: Evaluator) {
    this.#program = { model, evaluator };
    this.#model = model;
    this.#evaluator = evaluator;
    this.#expressions = new ExpressionCompiler(model, evaluator);
    const children: StateNumber[][] = model.states.map(() => []);
    for (const [number, { parent }] of model.states.entries())
      if (parent !== undefined) children[parent]?.push(number);
    this.#children = children;
  }

  root(): StateConfig {
    return this.#state(ROOT);
  }

  #state(number: StateNumber): StateConfig {
    const state = this.#model.states[number];
    if (state === undefined) throw new RangeError(`no state ${number}`);
    if (state.type === 'history') return this.#history(number, state);
    const children = this.#children[number] ?? [];
    return {
      id: keyOf(number),
      ...(state.type === 'parallel' || state.type === 'final' ? { type: state.type } : {}),
      ...(children.length === 0
        ? {}
        : { states: Object.fromEntries(children.map((child) => [keyOf(child), this.#state(child)])) }),
      ...this.#initial(state),
      entry: this.#entry(number, state),
      exit: this.#exit(number, state),
      on: Object.fromEntries(this.#events(number, state)),
      ...(state.always === undefined
        ? {}
        : { always: state.always.map((item) => this.#transition(number, item)) }),
      ...(state.after === undefined ? {} : { after: this.#after(number, state.after) }),
    };
  }

  #history(number: StateNumber, { history, parent = ROOT }: StateModel): StateConfig {
    const targets = history?.targets ?? this.#regions(parent);
    return {
      id: keyOf(number),
      type: 'history',
      history: history?.depth ?? 'shallow',
      ...(targets === undefined ? {} : { target: targetIds(targets) }),
    };
  }

  /**
   * The default targets of a history state in a parallel state: its regions. Without them, xstate (5.33.3) enters the
   * regions and not the state around them.
   */
  #regions(parent: StateNumber): readonly StateNumber[] | undefined {
    const { states } = this.#model;
    if (states[parent]?.type !== 'parallel') return undefined;
    return this.#children[parent]?.filter((child) => states[child]?.type !== 'history');
  }

  #initial({ initial }: StateModel): Pick<StateConfig, 'initial'> {
    if (initial === undefined) return {};
    return {
      initial: { target: keyOf(initial.target), actions: this.#expressions.actions(initial.actions) },
    };
  }

  #entry(number: StateNumber, state: StateModel): Action[] {
    return [
      signal('entered', { state: number }),
      ...this.#expressions.actions(state.entry),
      ...(state.at ?? []).map(({ at }, i) => signal('setMoment', { id: momentEvent(number, i), at })),
    ];
  }

  #exit(number: StateNumber, state: StateModel): Action[] {
    return [
      ...this.#expressions.actions(state.exit),
      ...(state.at ?? []).map((_, i) => cancel(momentEvent(number, i))),
      ...(hasQuorum(state) ? [forgetCounts(number)] : []),
      signal('left', { state: number }),
    ];
  }

  #events(number: StateNumber, state: StateModel): [string, TransitionConfig[]][] {
    const events: [string, TransitionConfig[]][] = (state.on ?? []).map(({ event, transitions }) => [
      event,
      transitions.flatMap((transition, i) => this.#eventTransitions(number, event, transition, i)),
    ]);
    if (state.onDone !== undefined) {
      const done = state.onDone.map((item) => this.#transition(number, item));
      const written = events.find(([event]) => event === doneEvent(number));
      if (written === undefined) events.push([doneEvent(number), done]);
      else written[1].push(...done);
    }
    for (const [i, { transitions }] of (state.at ?? []).entries()) {
      events.push([momentEvent(number, i), transitions.map((item) => this.#transition(number, item))]);
    }
    return [...events, ...this.#metEvents(number, state)];
  }

  /** A change of the terms can meet a quorum of a share or an input. Then its transition is taken without a further event. */
  #metEvents(number: StateNumber, { on = [] }: StateModel): [string, TransitionConfig[]][] {
    return on.flatMap(({ transitions }, i) =>
      transitions.flatMap((model, index): [string, TransitionConfig[]][] => {
        if (model.quorum === undefined || typeof model.quorum.until === 'number') return [];
        return [[metEvent(number, i, index), [this.#taking(number, model)]]];
      }),
    );
  }

  #after(source: StateNumber, after: NonNullable<StateModel['after']>): Record<string, TransitionConfig[]> {
    const byDelay: Record<string, TransitionConfig[]> = {};
    for (const { delay, transitions } of after) {
      const taken = transitions.map((item) => this.#transition(source, item));
      byDelay[delayName(delay)] = [...(byDelay[delayName(delay)] ?? []), ...taken];
    }
    return byDelay;
  }

  /** A quorum becomes two transitions: one that is taken when the count is reached, and one that counts. */
  #eventTransitions(
    source: StateNumber,
    event: string,
    model: TransitionModel,
    index: number,
  ): TransitionConfig[] {
    const { targets, actions, quorum } = model;
    const guards = [
      this.#addressed(source),
      ...(model.guard === undefined ? [] : [this.#expressions.guard(model.guard)]),
    ];
    // XState forbids an event by a transition without targets and actions.
    if (targets === undefined && actions === undefined && quorum === undefined)
      return [{ ...guarded(guards) }];
    const taken = signal('taken', {});
    const taking = this.#taking(source, model);
    if (quorum === undefined) return [{ ...taking, ...guarded(guards) }];
    const key = quorumKey(source, event, index);
    const counted = this.#counted(source, quorum);
    const reached: Guard = ({ context }) => {
      const count = countOf(context, key, quorum.from) + 1;
      if (typeof quorum.until === 'number') return count === quorum.until;
      return (
        count >= (needOf(this.#program, this.#evaluator.terms, source, quorum) ?? Number.POSITIVE_INFINITY)
      );
    };
    return [
      { ...taking, ...guarded([...guards, ...counted, reached]) },
      { ...guarded([...guards, ...counted]), actions: [taken, countOne(key, quorum.from)] },
    ];
  }

  /** A transition that says when it is taken. */
  #taking(source: StateNumber, model: TransitionModel): TransitionConfig {
    return {
      ...this.#transition(source, model),
      actions: [signal('taken', {}), ...this.#expressions.actions(model.actions)],
    };
  }

  #transition(source: StateNumber, model: TransitionModel): TransitionConfig {
    const { targets, guard, actions } = model;
    const reenter = model.reenter ?? this.#returns(source, targets);
    return {
      ...(targets === undefined ? {} : { target: targetIds(targets) }),
      ...guarded([this.#paid, ...(guard === undefined ? [] : [this.#expressions.guard(guard)])]),
      ...(actions === undefined ? {} : { actions: this.#expressions.actions(actions) }),
      ...(reenter === undefined ? {} : { reenter }),
    };
  }

  /**
   * Whether a transition may lead to its source by a history state around it. xstate (5.33.3) would enter the source again
   * without leaving it.
   */
  #returns(source: StateNumber, targets: readonly StateNumber[] = []): true | undefined {
    const around = ancestorsOf(this.#model, source);
    const { states } = this.#model;
    const isPast = (target: StateNumber) =>
      states[target]?.type === 'history' && around.includes(states[target].parent ?? ROOT);
    return targets.some(isPast) || undefined;
  }

  /** Charges each transition that xstate examines, which bounds loops. */
  readonly #paid: Guard = () => this.#evaluator.step();

  /**
   * Lets an event reach the state it was sent to, its ancestors and its descendants; of these, the states that are for
   * its caller. An event of the engine has a transition of its own, and wildcards do not take it.
   */
  #addressed(source: StateNumber): Guard {
    const model = this.#model;
    const isForSome = withAncestors(model, source).some((state) => model.states[state]?.only !== undefined);
    if (!isForSome)
      return ({ event: { address, own } }) =>
        own === undefined && (address === undefined || isRelated(model, address, source));
    return ({ event: { address, by, own } }) =>
      own === undefined &&
      (address === undefined ||
        (isRelated(model, address, source) &&
          partIn(this.#program, this.#evaluator.terms, source, by) === undefined));
  }

  /** Lets an amount of members count each caller once, whatever state of its visit the caller has reported to. */
  #counted(source: StateNumber, { until }: Quorum): Guard[] {
    if (typeof until === 'number') return [];
    return [({ event: { isCountedBy } }) => isCountedBy?.(source) !== true];
  }
}

function hasQuorum({ on = [] }: StateModel): boolean {
  return on.some(({ transitions }) => transitions.some(({ quorum }) => quorum !== undefined));
}
