/** Random statecharts with every feature: each of them is valid, and most of them move. */
import fc from 'fast-check';

/** A state to come. Its id is its number in the document, so that any other may have it for a target. */
interface Plan {
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly children: readonly Plan[];
}

/** Events that the charts take, and events that raise them. */
export const EVENTS = ['go', 'back', 'jump.far', 'jump.near'] as const;

const leaf: fc.Arbitrary<Plan> = fc.record({
  type: fc.constantFrom('atomic', 'atomic', 'atomic', 'final'),
  children: fc.constant([]),
});

const tree: fc.Arbitrary<Plan> = fc.letrec<{ state: Plan }>((tie) => ({
  state: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: leaf },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constantFrom('compound' as const, 'compound' as const, 'parallel' as const),
        children: fc.array(tie('state'), { minLength: 1, maxLength: 4 }),
      }),
    },
  ),
})).state;

const roots: fc.Arbitrary<Plan> = fc.record({
  type: fc.constantFrom('compound' as const, 'compound' as const, 'parallel' as const),
  children: fc.array(tree, { minLength: 2, maxLength: 5 }),
});

/** Numbers that decide the rest: where a transition leads, what guards it. */
const decisions = fc.infiniteStream(fc.nat(1_000));

/** The text of a chart. */
export const charts: fc.Arbitrary<string> = fc.tuple(roots, decisions, fc.boolean()).map(write);

function write([root, stream, withHistory]: readonly [Plan, Iterator<number>, boolean]): string {
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[next(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  };
  const next = (below: number) => Number(stream.next().value) % below;
  const chance = (percent: number) => next(100) < percent;

  // Ids first: a transition may lead forward in the document.
  const ids = new Map<Plan, string>();
  const targets: string[] = [];
  const number = (plan: Plan) => {
    for (const child of plan.children) {
      // The same leaf may stand in several places after shrinking.
      if (!ids.has(child)) ids.set(child, `s${ids.size}`);
      number(child);
    }
  };
  const copy = (plan: Plan): Plan => ({ ...plan, children: plan.children.map(copy) });
  const own = copy(root);
  number(own);
  targets.push(...ids.values());
  const memories = new Map<Plan, string>();
  if (withHistory) {
    for (const plan of ids.keys()) {
      if (plan.type === 'compound' || plan.type === 'parallel') memories.set(plan, `h${memories.size}`);
    }
    targets.push(...memories.values());
  }

  const guard = () =>
    pick(['context.n > 1', 'context.n < 3', `in_state("${pick([...ids.values()])}")`, 'true']);
  const quiet = () =>
    pick<object>([
      { assign: { n: 'context.n + 1' } },
      { assign: { n: 0 } },
      { raise: { event: pick(EVENTS), delay: pick(['0', '10s', '5m']), id: 'later' } },
      { cancel: 'later' },
    ]);
  // With many raised events, charts run in cycles and are refused.
  const action = () => (chance(25) ? { raise: pick(EVENTS) } : quiet());
  const target = (plan: Plan) => {
    const parallel = [...ids.keys(), own].filter(
      ({ type, children }) => type === 'parallel' && children.length > 1,
    );
    // Several targets lie in different regions.
    if (parallel.length > 0 && chance(10)) {
      return pick(parallel)
        .children.slice(0, 2)
        .map((region) => `#${ids.get(inside(region))}`);
    }
    return plan.children.length > 0 && chance(15) ? `#${ids.get(pick(plan.children))}` : `#${pick(targets)}`;
  };
  const inside = (plan: Plan): Plan =>
    plan.children.length > 0 && chance(50) ? inside(pick(plan.children)) : plan;
  const transition = (plan: Plan) => ({
    ...(chance(90) ? { target: target(plan) } : {}),
    ...(chance(30) ? { guard: guard() } : {}),
    ...(chance(20) ? { reenter: true } : {}),
    ...(chance(30) ? { actions: [action()] } : {}),
  });
  // A quorum without an effect is refused.
  const counted = (one: object) =>
    ('target' in one || 'actions' in one) && chance(30) ? { ...one, quorum: 2 + next(2) } : one;
  // An `always` that ends itself.
  const once = { guard: 'context.n == 2', actions: [{ assign: { n: 3 } }] };
  const state = (plan: Plan): object => {
    const id = ids.get(plan);
    const memory = memories.get(plan);
    const children = plan.children.map((child) => [ids.get(child), state(child)]);
    if (memory !== undefined) {
      const aim =
        chance(50) && plan.type === 'compound' ? { target: `#${ids.get(pick(plan.children))}` } : {};
      children.push([memory, { id: memory, type: 'history', history: pick(['shallow', 'deep']), ...aim }]);
    }
    const base = {
      ...(id === undefined ? {} : { id }),
      ...(plan.type === 'parallel' || plan.type === 'final' ? { type: plan.type } : {}),
      ...(plan.type === 'compound' ? { initial: ids.get(pick(plan.children)) } : {}),
      ...(children.length === 0 ? {} : { states: Object.fromEntries(children) }),
      ...(chance(20) ? { entry: [quiet()] } : {}),
      ...(chance(10) ? { exit: [quiet()] } : {}),
    };
    if (plan.type === 'final') return base;
    const events = [...EVENTS, 'jump.*', '*'].filter(() => chance(id === undefined ? 10 : 50));
    return {
      ...base,
      on: Object.fromEntries(events.map((event) => [event, counted(transition(plan))])),
      ...(chance(20) ? { after: { [pick(['5s', '1m', '10m'])]: transition(plan) } } : {}),
      ...(chance(10) ? { at: { '1970-01-01T00:03:00Z': transition(plan) } } : {}),
      ...(chance(10) ? { always: { ...transition(plan), ...once } } : {}),
      ...(plan.children.length > 0 && chance(50) ? { onDone: transition(plan) } : {}),
    };
  };
  return JSON.stringify({ context: { n: 0 }, ...state(own) });
}
