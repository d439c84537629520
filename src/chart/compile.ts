/**
 * Model -> xstate machine. The only file that knows how a chart looks to xstate.
 *
 * What leaves the machine leaves it as actions that xstate hands back unexecuted (`Signal`), so the engine
 * learns which states were entered and left, whether the event was taken, and which timers to set.
 */
import { and, assign, cancel, or, raise, setup, stateIn } from 'xstate';
import { MICROSTEPS } from '../limits.ts';
import { Evaluator } from './evaluator.ts';
import type { CheckedGuard, Json, Scope } from './expression.ts';
import {
  type ActionModel,
  type Assignment,
  doneEvent,
  extentOf,
  isRelated,
  keyOf,
  type Model,
  ROOT,
  type StateModel,
  type StateNumber,
  type TransitionModel,
} from './model.ts';

/** xstate's context of a running chart. */
export interface EngineContext {
  /** Present counts of the quorums in the current visits, by `quorumKey`; absent where nothing was counted. */
  readonly counts: Readonly<Record<string, number>>;
  /** The chart's own context. */
  readonly data: { readonly [key: string]: Json };
}

export interface EngineEvent {
  readonly type: string;
  /** The state that it was sent to; what the chart raises itself is sent to all. */
  readonly address?: StateNumber;
}

/** What the compiled machine tells the engine, through actions without an effect of their own. */
export type Signal =
  | { readonly type: 'entered'; readonly params: { readonly state: StateNumber } }
  | { readonly type: 'left'; readonly params: { readonly state: StateNumber } }
  | { readonly type: 'taken'; readonly params: Readonly<Record<string, never>> }
  | { readonly type: 'setMoment'; readonly params: { readonly id: string; readonly at: number } }
  | {
      readonly type: 'xstate.raise';
      readonly params: { readonly event: EngineEvent; readonly id?: string; readonly delay?: number };
    }
  | { readonly type: 'xstate.cancel'; readonly params: { readonly sendId: string } };

/** What guards and actions of ours are given. */
interface Arguments {
  readonly context: EngineContext;
  readonly event: EngineEvent;
}

type Guard = (args: Arguments) => boolean;
type Action = object;

/**
 * The part of xstate's configuration that is used here. xstate infers its own types from literals; a
 * configuration that is made of data fits none of them, so the border is crossed with a cast, once.
 */
interface StateConfig {
  readonly id: string;
  readonly type?: 'parallel' | 'final' | 'history';
  readonly history?: 'shallow' | 'deep';
  readonly target?: readonly string[];
  readonly initial?: { readonly target: string; readonly actions: readonly Action[] };
  readonly states?: Readonly<Record<string, StateConfig>>;
  readonly entry?: readonly Action[];
  readonly exit?: readonly Action[];
  readonly on?: Readonly<Record<string, readonly TransitionConfig[]>>;
  readonly always?: readonly TransitionConfig[];
  readonly after?: Readonly<Record<number, readonly TransitionConfig[]>>;
}

interface TransitionConfig {
  readonly target?: readonly string[];
  readonly guard?: Guard;
  readonly actions?: readonly Action[];
  readonly reenter?: true;
}

/** A chart as xstate runs it, and what evaluates its expressions. */
export interface Compiled {
  /** Made when it is first asked for: who only reads a chart that sleeps need not wait for it. */
  machine(): XstateMachine;
  readonly evaluator: Evaluator;
  /** Whether states can be active side by side. */
  readonly hasRegions: boolean;
}

export type XstateMachine = ReturnType<typeof createMachineOf>;

/** Compiles a checked model. `machine` takes some 20 µs a state; expressions are compiled when they are first met. */
export function compile(model: Model): Compiled {
  const { regions } = extentOf(model);
  const compiler = new Compiler(model, new Evaluator(regions));
  let made: XstateMachine | undefined;
  const machine = () => {
    made ??= createMachineOf(compiler.root(), model);
    return made;
  };
  return { machine, evaluator: compiler.evaluator, hasRegions: regions > 1 };
}

function createMachineOf(root: StateConfig, model: Model) {
  const config = {
    ...root,
    context: { counts: {}, data: model.context ?? {} },
    options: { maxIterations: MICROSTEPS },
  };
  return xstate.createMachine(config as unknown as Parameters<typeof xstate.createMachine>[0]);
}

const xstate = setup({ types: { context: {} as EngineContext, events: {} as EngineEvent } });

/** Names the count of one quorum: its state, its event, and its place among that event's transitions. */
export function quorumKey(state: StateNumber, event: string, index: number): string {
  return `${keyOf(state)}/${index}/${event}`;
}

/** @returns the present count, `from` where nothing was counted in this visit. */
export function countOf({ counts }: EngineContext, key: string, from: number): number {
  return Object.hasOwn(counts, key) ? (counts[key] ?? from) : from;
}

class Compiler {
  readonly evaluator: Evaluator;
  readonly #model: Model;
  readonly #children: readonly (readonly StateNumber[])[];

  constructor(model: Model, evaluator: Evaluator) {
    this.#model = model;
    this.evaluator = evaluator;
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
      ...(state.always === undefined ? {} : { always: state.always.map((item) => this.#transition(item)) }),
      ...(state.after === undefined ? {} : { after: this.#after(state.after) }),
    };
  }

  #history(number: StateNumber, { history, parent = ROOT }: StateModel): StateConfig {
    const targets = history?.targets ?? this.#regions(parent);
    return {
      id: keyOf(number),
      type: 'history',
      history: history?.depth ?? 'shallow',
      ...(targets === undefined ? {} : { target: targets.map((target) => `#${keyOf(target)}`) }),
    };
  }

  /**
   * The regions of a parallel state, where a history state in it leads that remembers nothing and has no target.
   * Left to xstate (5.33.3), the regions are entered and the state around them is not.
   */
  #regions(parent: StateNumber): readonly StateNumber[] | undefined {
    const { states } = this.#model;
    if (states[parent]?.type !== 'parallel') return undefined;
    return this.#children[parent]?.filter((child) => states[child]?.type !== 'history');
  }

  #initial({ initial }: StateModel): Pick<StateConfig, 'initial'> {
    if (initial === undefined) return {};
    return { initial: { target: keyOf(initial.target), actions: this.#actions(initial.actions) } };
  }

  #entry(number: StateNumber, state: StateModel): Action[] {
    return [
      signal('entered', { state: number }),
      ...this.#actions(state.entry),
      ...(state.at ?? []).map(({ at }, i) => signal('setMoment', { id: momentId(number, i), at })),
    ];
  }

  #exit(number: StateNumber, state: StateModel): Action[] {
    return [
      ...this.#actions(state.exit),
      ...(state.at ?? []).map((_, i) => cancel(momentId(number, i))),
      ...(hasQuorum(state) ? [forgetCounts(`${keyOf(number)}/`)] : []),
      signal('left', { state: number }),
    ];
  }

  #events(number: StateNumber, state: StateModel): [string, TransitionConfig[]][] {
    const events: [string, TransitionConfig[]][] = (state.on ?? []).map(({ event, transitions }) => [
      event,
      transitions.flatMap((transition, i) => this.#eventTransitions(number, event, transition, i)),
    ]);
    if (state.onDone !== undefined) {
      const done = state.onDone.map((item) => this.#transition(item));
      const written = events.find(([event]) => event === doneEvent(number));
      if (written === undefined) events.push([doneEvent(number), done]);
      else written[1].push(...done);
    }
    for (const [i, { transitions }] of (state.at ?? []).entries()) {
      events.push([momentId(number, i), transitions.map((item) => this.#transition(item))]);
    }
    return events;
  }

  #after(after: NonNullable<StateModel['after']>): Record<number, TransitionConfig[]> {
    const byDelay: Record<number, TransitionConfig[]> = {};
    for (const { delay, transitions } of after) {
      byDelay[delay] ??= [];
      byDelay[delay].push(...transitions.map((item) => this.#transition(item)));
    }
    return byDelay;
  }

  /** A quorum becomes two transitions: the one that is taken when the count is reached, else one that counts. */
  #eventTransitions(
    source: StateNumber,
    event: string,
    model: TransitionModel,
    index: number,
  ): TransitionConfig[] {
    const { targets, actions, quorum } = model;
    const guards = [
      this.#addressed(source),
      ...(model.guard === undefined ? [] : [this.#guard(model.guard)]),
    ];
    // XState's way to forbid an event: a transition that has nothing to do.
    if (targets === undefined && actions === undefined && quorum === undefined)
      return [{ ...guarded(guards) }];
    const taken = signal('taken', {});
    const taking = { ...this.#transition(model), actions: [taken, ...this.#actions(actions)] };
    if (quorum === undefined) return [{ ...taking, ...guarded(guards) }];
    const key = quorumKey(source, event, index);
    const reached: Guard = ({ context }) => countOf(context, key, quorum.from) + 1 === quorum.until;
    return [
      { ...taking, ...guarded([...guards, reached]) },
      { ...guarded(guards), actions: [taken, countOne(key, quorum.from)] },
    ];
  }

  #transition({ targets, guard, actions, reenter }: TransitionModel): TransitionConfig {
    return {
      ...(targets === undefined ? {} : { target: targets.map((target) => `#${keyOf(target)}`) }),
      ...guarded([this.#paid, ...(guard === undefined ? [] : [this.#guard(guard)])]),
      ...(actions === undefined ? {} : { actions: this.#actions(actions) }),
      ...(reenter === undefined ? {} : { reenter }),
    };
  }

  /** Each transition that xstate looks at is paid for: a chart may loop, but not for long. */
  readonly #paid: Guard = () => this.evaluator.step();

  /** An event goes to the state it was sent to, to what lies inside that, and to what that lies in. */
  #addressed(source: StateNumber): Guard {
    const model = this.#model;
    return ({ event: { address } }) => address === undefined || isRelated(model, address, source);
  }

  /**
   * A guard that asks for states becomes a row of guards: xstate's `stateIn` sees the configuration of the microstep,
   * which a function is not given, so its answers are written down first, and the expression comes last.
   */
  #guard({ cel, asks = [] }: CheckedGuard<StateNumber>): Guard {
    const answers = new Map<string, boolean>();
    const note =
      (name: string, isIn: boolean): Guard =>
      () => {
        answers.set(name, isIn);
        return true;
      };
    const ask = ([name, state]: readonly [string, StateNumber]) =>
      either(all([inState(state), note(name, true)]), note(name, false));
    return guardOf([...asks.map(ask), (args) => this.evaluator.guard(cel, this.#scope(args), answers)]);
  }

  #actions(actions: readonly ActionModel[] = []): Action[] {
    return actions.map((action) => {
      if ('cancel' in action) return cancel(userId(action.cancel));
      if ('assign' in action) return this.#assign(action.assign);
      const { raise: type, delay, id } = action;
      return raise(
        { type },
        { ...(delay === undefined ? {} : { delay }), ...(id === undefined ? {} : { id: userId(id) }) },
      );
    });
  }

  /** All keys of one `assign` see the context as it was before it. */
  #assign(assignments: readonly Assignment[]): Action {
    return assign(({ context, event }: Arguments) => {
      const scope = this.#scope({ context, event });
      const data: Record<string, Json> = Object.assign(Object.create(null), context.data);
      for (const { key, to } of assignments)
        data[key] = 'cel' in to ? this.evaluator.value(to.cel, scope) : to.value;
      this.evaluator.admit(data);
      return { data };
    });
  }

  #scope({ context, event }: Arguments): Scope {
    return { context: context.data, event: { type: this.#eventName(event.type) } };
  }

  /** A guard sees a state's own name where xstate has its key. */
  #eventName(type: string): string {
    const done = /^xstate\.done\.state\.s(\d+)$/.exec(type)?.[1];
    return done === undefined ? type : `xstate.done.state.${this.#model.states[Number(done)]?.name ?? ''}`;
  }
}

function signal<Type extends Signal['type']>(
  type: Type,
  params: Extract<Signal, { type: Type }>['params'],
): Action {
  return { type, params };
}

function guarded(guards: readonly Guard[]): Pick<TransitionConfig, 'guard'> {
  const [only] = guards;
  if (only === undefined) return {};
  return { guard: guards.length === 1 ? only : all(guards) };
}

/** xstate's own guards are typed for a configuration that is written down as a literal: see `StateConfig`. */
function all(guards: readonly Guard[]): Guard {
  return and(guards as never) as unknown as Guard;
}

function either(first: Guard, second: Guard): Guard {
  return or([first, second] as never) as unknown as Guard;
}

function inState(state: StateNumber): Guard {
  return stateIn(`#${keyOf(state)}`) as unknown as Guard;
}

function guardOf(guards: readonly Guard[]): Guard {
  const [only] = guards;
  return guards.length === 1 && only !== undefined ? only : all(guards);
}

/** The event and label of a state's `at`; `xstate.`, so that no chart and no caller can send it. */
function momentId(state: StateNumber, index: number): string {
  return `xstate.at.${index}.${keyOf(state)}`;
}

/** A chart's own ids are kept apart from those of `after` and `at`. */
function userId(id: string): string {
  return `user.${id}`;
}

function hasQuorum({ on = [] }: StateModel): boolean {
  return on.some(({ transitions }) => transitions.some(({ quorum }) => quorum !== undefined));
}

function countOne(key: string, from: number): Action {
  return assign(({ context }: Arguments) => ({
    counts: { ...context.counts, [key]: countOf(context, key, from) + 1 },
  }));
}

function forgetCounts(prefix: string): Action {
  return assign(({ context }: Arguments) => ({
    counts: Object.fromEntries(Object.entries(context.counts).filter(([key]) => !key.startsWith(prefix))),
  }));
}
