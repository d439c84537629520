/** What several refusals of a machine say: its facts, what must happen first, and when a repeat may succeed. */
import { type Claim, countsOf, nextTimer, runningTimers } from '../chart/chart.ts';
import { HOLDERS_NAMED, HOLDERS_TOLD, RETRY_AFTER_MAX, RETRY_AFTER_MIN } from '../limits.ts';
import type { MachineFacts } from '../refusal.ts';
import { activeNames, type MachineState, nextChange } from './machine-state.ts';

/** The facts that every refusal of a machine has. */
export function factsOf(machine: MachineState): MachineFacts {
  const { chart, snapshot, revision } = machine;
  return { revision, states: activeNames(chart, snapshot), waiting: countsOf(chart, snapshot) };
}

export function currentOf({ chart, snapshot }: MachineState): string {
  return `current: ${activeNames(chart, snapshot).map(quote).join(', ')}`;
}

/** The counts that are not complete, and the next timer. */
export function nextSteps({ chart, snapshot }: MachineState): string {
  const counts = countsOf(chart, snapshot).flatMap(({ state, event, have, need }) => {
    if (need === null)
      return ` ${quote(state)} waits for a share of the members, and there is no list of them.`;
    return need > have ? ` ${quote(state)} waits for ${need - have} more ${quote(event)}.` : [];
  });
  const next = nextTimer(runningTimers(snapshot));
  return counts.join('') + (next === undefined ? '' : ` The next timer is due at ${time(next.at)}.`);
}

/** The first holders of slots: a state can have 1,000, and each caller that comes too late is told of them. */
export function showHolders(claims: readonly Claim[]) {
  return claims.slice(0, HOLDERS_NAMED).map(({ by, until }) => ({ by, until: time(until) }));
}

/** Says the first things of a list, and how many others there are. */
export function sayFirst(list: readonly (() => string)[]): string {
  const others = list.length - HOLDERS_TOLD;
  const first = list.slice(0, HOLDERS_TOLD).map((say) => say());
  return others > 0 ? `${first.join(', ')} and ${others} more` : first.join(', ');
}

/** `Retry-After` in seconds: until the next timer or lease, at most `RETRY_AFTER_DEFAULT`. */
export function retryAfter(machine: MachineState, now: number): number {
  const next = nextChange(machine);
  return next === undefined ? RETRY_AFTER_DEFAULT : Math.min(RETRY_AFTER_DEFAULT, seconds(next - now));
}

export const RETRY_AFTER_DEFAULT = 5;

export function seconds(ms: number, most = RETRY_AFTER_MAX): number {
  return Math.min(most, Math.max(RETRY_AFTER_MIN, Math.ceil(ms / 1_000)));
}

export function time(ms: number): string {
  return new Date(ms).toISOString();
}

export function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 197)}...` : name);
}
