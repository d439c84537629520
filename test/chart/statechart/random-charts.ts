/** Random statecharts that are right, and random things that happen to them. */
import fc from 'fast-check';

/** A state of a random chart, before it is written down. */
interface Shape {
  readonly kind: 'leaf' | 'final' | 'compound' | 'parallel';
  readonly children: readonly Shape[];
  readonly history: 'none' | 'shallow' | 'deep';
  readonly transitions: readonly Transition[];
  readonly entry: number;
  readonly exit: number;
}

interface Transition {
  readonly on: string;
  readonly target: number;
  readonly guard: number;
  readonly actions: number;
  readonly quorum: number;
  readonly reenter: boolean;
}

/** Events that random charts name; `*` is any. */
export const EVENTS = ['update', 'fail', 'go', 'ring'] as const;

const WHEN = [
  ...EVENTS,
  ...EVENTS,
  '*',
  'always',
  'onDone',
  'after 1s',
  'after 3s',
  'after 3s',
  'at 5s',
] as const;

const transition: fc.Arbitrary<Transition> = fc.record({
  on: fc.constantFrom(...WHEN),
  target: fc.nat(1_000),
  guard: fc.nat(1_000),
  actions: fc.nat(1_000),
  quorum: fc.constantFrom(1, 1, 1, 2, 3),
  reenter: fc.boolean(),
});

const { state: shape } = fc.letrec<{ state: Shape }>((tie) => {
  const common = {
    history: fc.constantFrom('none', 'none', 'shallow', 'deep') as fc.Arbitrary<Shape['history']>,
    transitions: fc.array(transition, { maxLength: 3 }),
    entry: fc.nat(1_000),
    exit: fc.nat(1_000),
  };
  const childless = fc.record({
    kind: fc.constantFrom('leaf', 'leaf', 'leaf', 'final') as fc.Arbitrary<Shape['kind']>,
    children: fc.constant([]),
    ...common,
  });
  const parent = fc.record({
    kind: fc.constantFrom('compound', 'compound', 'parallel') as fc.Arbitrary<Shape['kind']>,
    children: fc.array(tie('state'), { minLength: 1, maxLength: 3 }),
    ...common,
  });
  return { state: fc.oneof({ maxDepth: 2, withCrossShrink: true }, childless, parent) };
});

/** A chart as data: its states are called `n1`, `n2` and so on, by their ids, and the root `root`. */
export const randomChart: fc.Arbitrary<object> = fc
  .record({ parallel: fc.boolean(), states: fc.array(shape, { minLength: 2, maxLength: 4 }) })
  .map(({ parallel, states }) => write(parallel, states));

/** Something that happens: an event to a state, or time that passes. */
export type Happening =
  | {
      readonly event: (typeof EVENTS)[number] /** Which of the active states, the root among them. */;
      readonly to: number;
    }
  | { readonly wait: number };

export const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ event: fc.constantFrom(...EVENTS), to: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(0, 1, 500, 1_000, 2_500, 60_000) }) },
  ),
  { maxLength: 25 },
);

function write(parallel: boolean, states: readonly Shape[]): object {
  let count = 0;
  const numbered = new Map<Shape, number>();
  const number = (list: readonly Shape[]) => {
    for (const one of list) {
      numbered.set(one, ++count);
      number(one.children);
    }
  };
  number(states);
  const inside = (list: readonly Shape[]) =>
    Object.fromEntries(list.map((one) => [`k${numbered.get(one)}`, writeState(one)]));
  const first = (list: readonly Shape[]) => `k${list[0] && numbered.get(list[0])}`;
  const writeState = (one: Shape): object => {
    const id = `n${numbered.get(one)}`;
    const actions = { entry: action(one.entry), exit: action(one.exit) };
    if (one.kind === 'final') return { id, type: 'final', ...actions };
    const children = one.children.length === 0 ? {} : { states: { ...inside(one.children), ...past(one) } };
    return {
      id,
      ...(one.kind === 'parallel' ? { type: 'parallel' } : {}),
      ...(one.kind === 'compound' ? { initial: first(one.children) } : {}),
      ...children,
      ...actions,
      ...writeTransitions(one, count),
    };
  };
  return {
    id: 'root',
    context: { n: 0 },
    ...(parallel ? { type: 'parallel' } : { initial: first(states) }),
    states: inside(states),
  };
}

function past({ history, kind }: Shape): object {
  return history === 'none' || kind === 'parallel' ? {} : { past: { type: 'history', history } };
}

function writeTransitions({ kind, transitions, history }: Shape, count: number): object {
  const on: Record<string, object[]> = {};
  const after: Record<string, object[]> = {};
  const at: Record<string, object[]> = {};
  const always: object[] = [];
  const onDone: object[] = [];
  for (const one of transitions) {
    const written = writeTransition(one, count, kind === 'compound' && history !== 'none');
    const [when, delay = ''] = one.on.split(' ');
    if (when === 'after') after[delay] = [...(after[delay] ?? []), written];
    else if (when === 'at') at['1970-01-01T00:00:05Z'] = [...(at['1970-01-01T00:00:05Z'] ?? []), written];
    // An `always` that counts ends by its guard.
    else if (when === 'always')
      always.push({ ...written, guard: `context.n == ${one.guard % 7}`, actions: COUNT });
    else if (when === 'onDone') {
      if (kind === 'compound' || kind === 'parallel') onDone.push(written);
    } else {
      const quorum = one.quorum === 1 ? {} : { quorum: one.quorum };
      on[one.on] = [...(on[one.on] ?? []), { ...written, ...quorum }];
    }
  }
  return {
    on,
    after,
    at,
    ...(always.length === 0 ? {} : { always }),
    ...(onDone.length === 0 ? {} : { onDone }),
  };
}

const COUNT = { assign: { n: 'context.n + 1' } };

function writeTransition(
  { target, guard, actions, reenter }: Transition,
  count: number,
  hasPast: boolean,
): object {
  const to = target % (count + 2);
  return {
    ...(to === 0 ? {} : { target: to > count ? (hasPast ? '.past' : '#n1') : `#n${to}` }),
    ...pick(guard, [
      {},
      {},
      { guard: 'context.n % 2 == 0' },
      { guard: '3 > context.n' },
      { guard: `in_state("n${1 + (target % count)}")` },
      { guard: `!in_state("n${1 + (target % count)}") && !(context.n == 2)` },
      { guard: 'context.missing == 1' },
      { guard: 'event.type == "go" || context.n > 1' },
    ]),
    actions: action(actions),
    ...(reenter ? { reenter } : {}),
  };
}

function action(choice: number): object[] {
  return pick(choice, [
    [],
    [],
    [],
    [COUNT],
    [COUNT],
    [{ raise: 'ring' }],
    [{ raise: { event: 'go', delay: '2s', id: 'bell' } }],
    [{ raise: { event: 'ring', delay: 0 } }, COUNT],
    [{ cancel: 'bell' }],
    [{ assign: { m: 'event.type', n: '0' } }],
  ]);
}

function pick<Item>(choice: number, items: readonly Item[]): Item {
  const item = items[choice % items.length];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}
