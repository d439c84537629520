/** Who has reported to the active states in their present visits, and whom their quorums have counted. */
import { type Chart, quorums, type Snapshot, type StateNumber } from '../../src/chart/chart.ts';
import { quorumKey } from '../../src/chart/counts.ts';

export interface Heard {
  readonly snapshot: Snapshot;
  /** The callers whose reports concern an active state in its present visit, by state and event. */
  readonly said: Callers;
  /** The callers whose reports a quorum has counted in the present visit of its state, by `quorumKey`. */
  readonly counted: Callers;
}

/** Sets of callers, each with the state whose visit ends it. */
type Callers = ReadonlyMap<string, { readonly state: StateNumber; readonly by: readonly string[] }>;

/** Notes that a report of a caller concerns states. */
export function withSaid<Hearing extends Heard>(
  machine: Hearing,
  states: Iterable<StateNumber>,
  { event, by }: { readonly event: string; readonly by: string },
): Hearing {
  let { said } = machine;
  for (const state of states) said = withCaller(said, saidKey(state, event), state, by);
  return { ...machine, said };
}

/** @returns the callers that have reported an event to a state in its present visit, or to a state around or inside. */
export function whoSaid({ said }: Heard, state: StateNumber, event: string): readonly string[] {
  return said.get(saidKey(state, event))?.by ?? [];
}

function saidKey(state: StateNumber, event: string): string {
  return `${state}/${event}`;
}

/** Notes the counts that a report of `by` has raised since `before`. */
export function withCounted<Hearing extends Heard>(
  chart: Chart,
  machine: Hearing,
  before: Snapshot,
  by: string,
): Hearing {
  const haves = new Map(quorums(chart, before).map((quorum) => [countKey(quorum), quorum.have]));
  let { counted } = machine;
  for (const quorum of quorums(chart, machine.snapshot)) {
    const key = countKey(quorum);
    if (quorum.have > (haves.get(key) ?? quorum.from)) counted = withCaller(counted, key, quorum.state, by);
  }
  return { ...machine, counted };
}

/** Whether a quorum of a state has counted a caller's event in the present visit. */
export function isCounted(chart: Chart, machine: Heard, state: StateNumber, event: string, by: string) {
  return quorums(chart, machine.snapshot).some(
    (quorum) =>
      quorum.state === state &&
      quorum.event === event &&
      machine.counted.get(countKey(quorum))?.by.includes(by) === true,
  );
}

function countKey({ state, event, index }: { state: StateNumber; event: string; index: number }): string {
  return quorumKey(state, event, index);
}

function withCaller(all: Callers, key: string, state: StateNumber, by: string): Callers {
  const known = all.get(key)?.by ?? [];
  return known.includes(by) ? all : new Map(all).set(key, { state, by: [...known, by] });
}
