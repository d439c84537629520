/** Runs a chart on the engine alone, without an object, a clock or storage. */
import {
  type Chart,
  fire,
  nameOf,
  nextDue,
  readChart,
  type Snapshot,
  type StateNumber,
  type Step,
  send,
  start,
  UPDATE,
} from '../../src/chart/chart.ts';

/** A run of a chart and its observations. Times are ms since the epoch. */
export interface Walk {
  readonly chart: Chart;
  snapshot: Snapshot;
  now: number;
  readonly left: StateNumber[];
  /** Names of the current state, one for each visit begun. */
  readonly visits: string[];
}

export function openText(text: string): Chart {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(`the chart was refused: ${JSON.stringify(reading.errors)}`);
  return reading.chart;
}

/** Starts a chart and fires the timers that are due. */
export function begin(chart: Chart, now = 0): Walk {
  const first = start(chart, now);
  if (!first.ok) throw new Error(`the chart cannot start: ${first.detail}`);
  const walk: Walk = { chart, snapshot: first.snapshot, now, left: [], visits: [] };
  walk.visits.push(currentOf(walk));
  settle(walk);
  return walk;
}

/** Reports on a state. @returns whether it was current and counted. */
export function reportOn(walk: Walk, name: string): boolean {
  const [current] = walk.snapshot.active.keys();
  if (current === undefined || nameOf(walk.chart, current) !== name) return false;
  const step = send(walk.chart, walk.snapshot, { type: UPDATE, address: current }, walk.now);
  if (!step.ok) return false;
  take(walk, step);
  settle(walk);
  return true;
}

/** Reports on each state in turn; each must be counted. */
export function reportAll(walk: Walk, names: readonly string[]): void {
  for (const name of names) if (!reportOn(walk, name)) throw new Error(`${name} was not counted`);
}

/** Advances the clock to `now`. */
export function waitUntil(walk: Walk, now: number): void {
  walk.now = now;
  settle(walk);
}

export function currentOf({ chart, snapshot }: Walk): string {
  return [...snapshot.active.keys()].map((state) => nameOf(chart, state)).join();
}

export function leftOf({ left }: Walk): ReadonlySet<StateNumber> {
  return new Set(left);
}

function settle(walk: Walk): void {
  for (let timer = nextDue(walk.snapshot, walk.now); timer; timer = nextDue(walk.snapshot, walk.now)) {
    const step = fire(walk.chart, walk.snapshot, timer);
    if (!step.ok) throw new Error(step.detail);
    take(walk, step);
  }
}

function take(walk: Walk, step: Step): void {
  walk.snapshot = step.snapshot;
  walk.left.push(...step.left.map(({ state }) => state));
  if (step.entered.length > 0) walk.visits.push(currentOf(walk));
}
