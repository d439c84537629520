/**
 * A model of what a large fleet costs one machine at Cloudflare while it waits for a state: how many calls reach the object,
 * and their price. An isolate is simulated, and all others are taken to be like it. The numbers are those of the code at
 * the edge: its coalescing, its shared waits and its kept answers.
 */
import { Random } from '../process/coordination/random.ts';

/** How each machine of the fleet finds out that it may go. */
export interface Habit {
  readonly name: string;
  /** The time between two asks, or the length of a wait, s. */
  readonly every: number;
  readonly waits: boolean;
  /** `max-stale`, s; 0 without. */
  readonly stale: number;
}

export const HABITS: readonly Habit[] = [
  { name: 'asks every 30 s', every: 30, waits: false, stale: 0 },
  { name: 'asks every 30 s, `max-stale=10s`', every: 30, waits: false, stale: 10 },
  { name: '`wait=60s`', every: 60, waits: true, stale: 0 },
  { name: '`wait=60s&max-stale=30s`', every: 60, waits: true, stale: 30 },
];

/** Isolates of the edge through which the fleet asks. */
export const ISOLATES = [20, 300, 3_000] as const;

export interface Load {
  /** Requests of machines in a second, at all edges. */
  readonly requests: number;
  /** Calls at the object in a second. */
  readonly calls: number;
  /** USD for an hour, at the prices of docs/deploying.md. */
  readonly hour: number;
}

/** @param machines of the fleet. @param isolates of the edge, with equal shares of them. */
export function loadOf({ every, waits, stale }: Habit, machines: number, isolates: number): Load {
  const own = Math.max(1, Math.round(machines / isolates));
  const random = new Random(isolates);
  const starts = Array.from({ length: own }, () => random.below(every));
  const asks = starts.flatMap((start) => momentsFrom(start, every));
  // A request that waits asks when it joins, and once more at its deadline, which is rounded to 100 ms.
  const ends = waits ? asks.map((at) => Math.ceil((at + every - GAP) * 10) / 10) : [];
  const moments = [...asks, ...ends].sort((a, b) => a - b);
  const leases = waits ? DURATION / LEASE : 0;
  const calls = ((callsFor(moments, stale) + leases) / DURATION) * isolates;
  const requests = machines / every;
  return { requests, calls, hour: priceOf(requests, calls) };
}

/** Simulated time, s. */
const DURATION = 600;
/** A round trip between an edge and the object, s. */
const ROUND_TRIP = 0.05;
/** Between a client's response and its next request, s. */
const GAP = 0.05;
/** How long a call waits for others, s: `edge/round-trip.ts`, a share of the round trip. */
const PATIENCE = 0.05 * ROUND_TRIP;
/** How long a shared wait relies on one call, s: `edge/shared-waits.ts`. */
const LEASE = 20;

function momentsFrom(start: number, every: number): number[] {
  return Array.from({ length: Math.ceil((DURATION - start) / every) }, (_, i) => start + i * every);
}

/** Counts the calls that asks at these moments make. @param moments sorted, s */
function callsFor(moments: readonly number[], stale: number): number {
  let calls = 0;
  let open = Number.NEGATIVE_INFINITY;
  let kept = Number.NEGATIVE_INFINITY;
  let arriving: number | undefined;
  for (const at of moments) {
    if (arriving !== undefined && at >= arriving + ROUND_TRIP) {
      kept = arriving;
      arriving = undefined;
    }
    if (stale > 0 && at - kept <= stale) continue;
    if (at <= open) continue;
    calls += 1;
    open = at + PATIENCE;
    arriving ??= at;
  }
  return calls;
}

/** USD: a million Worker requests, a million object requests, a million GB-seconds of an object of 128 MB. */
const PRICES = { request: 0.3e-6, call: 0.15e-6, second: 12.5e-6 * 0.125 };
const HOUR = 3_600;

function priceOf(requests: number, calls: number): number {
  return HOUR * (requests * PRICES.request + calls * PRICES.call + PRICES.second);
}

/** Formats the loads of a fleet as the table of docs/large-fleets.md. */
export function tableOf(machines: number): string[] {
  return HABITS.flatMap((habit) =>
    ISOLATES.map((isolates) => {
      const { requests, calls, hour } = loadOf(habit, machines, isolates);
      const cells = [habit.name, shown(isolates), shown(requests), shown(calls), `$${hour.toFixed(2)}`];
      return cells.join(' | ');
    }),
  );
}

function shown(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}
