/** Takes out of random charts what SCXML does not have, or means otherwise by design. */
import * as z from 'zod';

const Action = z.looseObject({
  assign: z.record(z.string(), z.string()).optional(),
  raise: z.unknown().optional(),
  cancel: z.string().optional(),
});
type Action = z.infer<typeof Action>;

const Transition = z.looseObject({
  target: z.string().optional(),
  guard: z.string().optional(),
  actions: z.union([Action, z.array(Action)]).optional(),
});
type Transition = z.infer<typeof Transition>;

const State = z.looseObject({
  id: z.string().optional(),
  type: z.string().optional(),
  entry: z.array(Action).optional(),
  exit: z.array(Action).optional(),
  on: z.record(z.string(), z.array(Transition)).optional(),
  always: z.array(Transition).optional(),
  onDone: z.array(Transition).optional(),
  get states() {
    return z.record(z.string(), State).optional();
  },
});
type State = z.infer<typeof State>;

/** @param chart of `randomChart` */
export function comparable(chart: object): object {
  const { context, ...top } = State.parse(chart);
  // SCXML's root is not parallel: it never ends, though all regions are final.
  const root =
    top.type === 'parallel' ? { id: 'root', initial: 'k0', states: { k0: { ...top, id: 'n0' } } } : top;
  return { ...ofState(root, withRegions(root)), context };
}

/** The nearest region of a parallel state that a state is in, or is, by its id. Absent in no parallel state. */
type Regions = ReadonlyMap<string, State>;

function withRegions({ states = {}, type }: State, around?: State): Map<string, State> {
  const all = Object.values(states).flatMap((child): [string, State][] => {
    const region = type === 'parallel' ? child : around;
    const own: [string, State][] = region && child.id !== undefined ? [[child.id, region]] : [];
    return [...own, ...withRegions(child, region)];
  });
  return new Map(all);
}

/** @returns the region of a state. A history state has no id, and no transitions. */
function regionOf({ id }: State, regions: Regions): State | undefined {
  return id === undefined ? undefined : regions.get(id);
}

function ofState(state: State, regions: Regions): State {
  const isParallel = state.type === 'parallel';
  const ofAll = (list: readonly Transition[]) => list.flatMap((one) => ofTransition(state, one, regions));
  // Time: Qt's clock cannot be moved.
  const { after: _, at: __, entry, exit, on, always, onDone, states, ...rest } = state;
  const written: State = {
    ...rest,
    // If a transition changes regions, XState leaves the regions, and SCXML the parallel state as well.
    ...(entry === undefined || isParallel ? {} : { entry: entry.flatMap(ofAction) }),
    ...(exit === undefined || isParallel ? {} : { exit: exit.flatMap(ofAction) }),
    ...(on === undefined ? {} : { on: mapValues(on, ofAll) }),
    ...(always === undefined ? {} : { always: ofAll(always) }),
    ...(onDone === undefined ? {} : { onDone: ofAll(onDone) }),
    ...(states === undefined ? {} : { states: mapValues(states, (child) => ofState(child, regions)) }),
  };
  // SCXML has no final state as a region.
  if (regionOf(state, regions) !== state || state.type !== 'final') return written;
  const { type: ___, ...region } = written;
  return region;
}

function ofTransition(source: State, transition: Transition, regions: Regions): Transition[] {
  const { quorum: _, guard, actions = [], target, reenter, ...rest } = transition;
  // A guard that fails raises `error.execution` in SCXML, which `*` takes.
  const isGuarded = guard !== undefined && !guard.includes('missing');
  const written = { ...rest, ...(isGuarded ? { guard } : {}), actions: [actions].flat().flatMap(ofAction) };
  // If a region takes an event, XState does not ask the states around the regions. SCXML asks for each region, and drops
  // the transition outside only if both have targets.
  if (target === undefined) return regions.size > 0 ? [] : [written];
  // SCXML leaves a parallel state also if the target is in it.
  const reenters = source.type === 'parallel' || reenter === true;
  if (!staysInRegion(source, target, reenters, regions)) return [];
  return [{ ...written, target, ...(reenters ? { reenter: true } : {}) }];
}

/**
 * A transition that leaves its region can conflict with one of another region. The first in document order is to be taken;
 * Qt (6.4.2) takes the one of the deeper state.
 */
function staysInRegion(source: State, target: string, reenters: boolean, regions: Regions): boolean {
  const region = regionOf(source, regions);
  if (region === undefined) return true;
  if (source === region && reenters) return false;
  if (target.startsWith('.')) return true;
  return isInside(region, target.slice(1));
}

function isInside({ states = {} }: State, id: string): boolean {
  return Object.values(states).some((child) => child.id === id || isInside(child, id));
}

function ofAction(action: Action): Action[] {
  if (action.cancel !== undefined) return [];
  if (action.raise !== undefined && typeof action.raise !== 'string') return [];
  // The events of XState's own have other names.
  const { m: _, ...assign } = action.assign ?? {};
  return action.assign === undefined ? [action] : [{ assign }];
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
