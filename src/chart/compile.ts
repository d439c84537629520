/**
 * Model -> xstate machine. The only file that knows how a chart looks to xstate.
 *
 * What leaves the machine leaves it as actions that xstate hands back unexecuted (`Signal`), so the engine
 * learns which states were entered and left, whether the event was taken, and which timers to set.
 */
import { assign, setup } from 'xstate';
import { MICROSTEPS } from './limits.ts';
import { type Model, ROOT, type StateModel, type StateNumber, type TransitionModel } from './model.ts';

/** xstate's context of a running chart. */
export interface EngineContext {
  /** Present counts of the quorums in the current visits, by `quorumKey`; absent where nothing was counted. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface EngineEvent {
  readonly type: string;
}

/** What the compiled machine tells the engine, through actions without an implementation. */
export type Signal =
  | { readonly type: 'entered'; readonly params: { readonly state: StateNumber } }
  | { readonly type: 'left'; readonly params: { readonly state: StateNumber } }
  | { readonly type: 'taken'; readonly params: Readonly<Record<string, never>> }
  | { readonly type: 'setTimer'; readonly params: { readonly id: string; readonly at: number } }
  | { readonly type: 'clearTimer'; readonly params: { readonly id: string } };

const machines = setup({
  types: { context: {} as EngineContext, events: {} as EngineEvent },
  actions: {
    entered: (_, _params: { state: StateNumber }) => {},
    left: (_, _params: { state: StateNumber }) => {},
    taken: (_, _params: Readonly<Record<string, never>>) => {},
    setTimer: (_, _params: { id: string; at: number }) => {},
    clearTimer: (_, _params: { id: string }) => {},
    count: assign({
      counts: ({ context }, { key, from }: { key: string; from: number }) => ({
        ...context.counts,
        [key]: countOf(context, key, from) + 1,
      }),
    }),
    forget: assign({
      counts: ({ context }, { prefix }: { prefix: string }) =>
        Object.fromEntries(Object.entries(context.counts).filter(([key]) => !key.startsWith(prefix))),
    }),
  },
});

type MachineConfig = Parameters<typeof machines.createMachine>[0];
type StateConfig = NonNullable<MachineConfig['states']>[string];
type TransitionConfig = Exclude<NonNullable<StateConfig['always']>, string | readonly unknown[] | undefined>;

/** A chart as xstate runs it. */
export type Machine = ReturnType<typeof compileMachine>;

/** Compiles a checked model. Takes some 10 µs a state. */
export function compileMachine(model: Model) {
  return machines.createMachine({
    id: keyOf(ROOT),
    context: { counts: {} },
    options: { maxIterations: MICROSTEPS },
    ...childrenConfig(model, childrenByParent(model), ROOT),
  } as MachineConfig);
}

/** The key under which a state goes in xstate: never a name. */
export function keyOf(state: StateNumber): string {
  return `s${state}`;
}

/** The state of an xstate key. */
export function numberOf(key: string): StateNumber {
  return Number(key.slice(1));
}

/** Names the count of one quorum: its state, its event, and its place among that event's transitions. */
export function quorumKey(state: StateNumber, event: string, index: number): string {
  return `${keyOf(state)}/${index}/${event}`;
}

/** @returns the present count, `from` where nothing was counted in this visit. */
export function countOf({ counts }: EngineContext, key: string, from: number): number {
  return Object.hasOwn(counts, key) ? (counts[key] ?? from) : from;
}

/** The children of each state, in document order. */
function childrenByParent({ states }: Model): readonly (readonly StateNumber[])[] {
  const children: StateNumber[][] = states.map(() => []);
  for (const [number, { parent }] of states.entries()) {
    if (parent !== undefined) children[parent]?.push(number);
  }
  return children;
}

function childrenConfig(model: Model, children: Children, parent: StateNumber): Partial<StateConfig> {
  const numbers = children[parent] ?? [];
  if (numbers.length === 0) return {};
  const initial = model.states[parent]?.initial;
  return {
    states: Object.fromEntries(numbers.map((child) => [keyOf(child), stateConfig(model, children, child)])),
    ...(initial === undefined ? {} : { initial: keyOf(initial) }),
  };
}

type Children = ReturnType<typeof childrenByParent>;

function stateConfig(model: Model, children: Children, number: StateNumber): StateConfig {
  const state = model.states[number];
  if (state === undefined) throw new RangeError(`no state ${number}`);
  const timers = timersOf(number, state);
  return {
    id: keyOf(number),
    ...(state.type === 'final' ? { type: 'final' as const } : {}),
    entry: [
      { type: 'entered' as const, params: { state: number } },
      ...timers.map(({ id, at }) => ({ type: 'setTimer' as const, params: { id, at } })),
    ],
    exit: [
      ...timers.map(({ id }) => ({ type: 'clearTimer' as const, params: { id } })),
      ...(hasQuorum(state) ? [{ type: 'forget' as const, params: { prefix: `${keyOf(number)}/` } }] : []),
      { type: 'left' as const, params: { state: number } },
    ],
    on: Object.fromEntries([
      ...(state.on ?? []).map(({ event, transitions }) => [
        event,
        transitions.flatMap((transition, i) => eventTransitions(number, event, transition, i)),
      ]),
      ...timers.map(({ id, transitions }) => [id, transitions.map(plainTransition)]),
    ]),
    ...childrenConfig(model, children, number),
  };
}

function timersOf(number: StateNumber, state: StateModel) {
  return (state.at ?? []).map(({ at, transitions }, i) => ({
    id: `at.${i}.${keyOf(number)}`,
    at,
    transitions,
  }));
}

function hasQuorum({ on = [] }: StateModel): boolean {
  return on.some(({ transitions }) => transitions.some(({ quorum }) => quorum !== undefined));
}

function plainTransition({ target }: TransitionModel): TransitionConfig {
  return { target: `#${keyOf(target)}`, actions: [{ type: 'taken', params: {} }] };
}

/** A quorum becomes two transitions: the one that is taken when the count is reached, else one that counts. */
function eventTransitions(
  state: StateNumber,
  event: string,
  transition: TransitionModel,
  index: number,
): TransitionConfig[] {
  const taking = plainTransition(transition);
  if (transition.quorum === undefined) return [taking];
  const { from, until } = transition.quorum;
  const key = quorumKey(state, event, index);
  return [
    { ...taking, guard: ({ context }) => countOf(context, key, from) + 1 === until },
    {
      actions: [
        { type: 'count', params: { key, from } },
        { type: 'taken', params: {} },
      ],
    },
  ];
}
