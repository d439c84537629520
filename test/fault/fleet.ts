/** For whom a state is, how many of them, and when. The core evaluates this as well; here it is implemented a second time. */
import { ancestorsOf, type Chart, type Members, type StateNumber } from '../../src/chart/chart.ts';
import type { Machine } from './machine.ts';

export type Amount = NonNullable<Chart['model']['states'][number]['slots']>['count'];

/** @returns why a caller has no part in a state; undefined if it has. */
export function noPart(chart: Chart, { snapshot }: Machine, state: StateNumber, by: string | undefined) {
  const { members } = snapshot.terms;
  const rules = rulesOf(chart, state);
  if (members === undefined) return rules.length === 0 ? undefined : 'no-members';
  const labels = by === undefined ? undefined : members.get(by);
  if (labels === undefined) return 'not-a-member';
  return rules.every(({ label, value }) => labels[label] === value) ? undefined : 'not-for-you';
}

/** @returns the names of the members that a state is for. */
export function membersFor(chart: Chart, members: Members, state: StateNumber): string[] {
  const rules = rulesOf(chart, state);
  const all = [...members].filter(([, labels]) => rules.every(({ label, value }) => labels[label] === value));
  return all.map(([name]) => name);
}

/** Whether nothing can be done in a state without a list of members. */
export function needsList(chart: Chart, machine: Machine, state: StateNumber): boolean {
  return withAround(chart, state).some((at) => {
    const { only, slots, on = [] } = chart.model.states[at] ?? {};
    const quorums = on.flatMap(({ transitions }) => transitions.flatMap(({ quorum }) => quorum?.until ?? []));
    return only !== undefined || [...quorums, ...(slots ? [slots.count] : [])].some(isShareIn(machine));
  });
}

/** @returns how many slots a state has; null if they are a share, and there is no list of members. */
export function slotsIn(chart: Chart, machine: Machine, state: StateNumber): number | null {
  const { count = 0 } = chart.model.states[state]?.slots ?? {};
  return countOf(chart, machine, state, count, Math.floor);
}

/** @returns at which count a quorum is met; null if it is a share, and there is no list of members. */
export function needIn(chart: Chart, machine: Machine, state: StateNumber, until: Amount): number | null {
  return countOf(chart, machine, state, until, Math.ceil);
}

/** @returns the callers that a quorum counts: a share, only members that its state is for. */
export function thatCount(
  chart: Chart,
  machine: Machine,
  state: StateNumber,
  until: Amount,
  callers: readonly string[],
): string[] {
  const { members } = machine.snapshot.terms;
  if (members === undefined || !isShareIn(machine)(until)) return [...callers];
  const counted = new Set(membersFor(chart, members, state));
  return callers.filter((by) => counted.has(by));
}

function countOf(
  chart: Chart,
  machine: Machine,
  state: StateNumber,
  amount: Amount,
  round: (share: number) => number,
): number | null {
  const settled = settledIn(machine, amount);
  if (typeof settled === 'number') return settled;
  const { members } = machine.snapshot.terms;
  if (members === undefined) return null;
  return Math.max(1, round((settled.percent * membersFor(chart, members, state).length) / 100));
}

function isShareIn(machine: Machine): (amount: Amount) => boolean {
  return (amount) => typeof settledIn(machine, amount) === 'object';
}

/** Reads an amount by the inputs of the run: `5`, `20%`. */
function settledIn({ snapshot }: Machine, amount: Amount): number | { readonly percent: number } {
  if (typeof amount === 'number' || 'percent' in amount) return amount;
  const value = String(snapshot.terms.inputs[amount.input]);
  return value.endsWith('%') ? { percent: Number(value.slice(0, -1)) } : Number(value);
}

/** Whether work may be begun in a state at `now`, ms since the epoch. */
export function isOpen(chart: Chart, state: StateNumber, now: number): boolean {
  return withAround(chart, state).every((at) => {
    const windows = chart.model.states[at]?.windows;
    return windows === undefined || windows.some((window) => isWindowOpen(window, now));
  });
}

/** Whether windows hold for a state. */
export function hasWindows(chart: Chart, state: StateNumber): boolean {
  return withAround(chart, state).some((at) => chart.model.states[at]?.windows !== undefined);
}

type Window = NonNullable<Chart['model']['states'][number]['windows']>[number];

const MINUTE = 60_000;

/** The windows of the runs are open in every other minute, in UTC. */
function isWindowOpen({ cron, zone, length, cutoff }: Window, now: number): boolean {
  const first = ['*/2 * * * *', '1-59/2 * * * *'].indexOf(cron);
  if (first === -1 || zone !== 'UTC' || length !== MINUTE) throw new Error('another window is expected');
  return Math.floor(now / MINUTE) % 2 === first && now % MINUTE < MINUTE - cutoff;
}

/** @returns the moments between two others at which a window of the chart may open or close. */
export function openingsBetween({ model }: Chart, from: number, to: number): number[] {
  const cutoffs = model.states.flatMap(({ windows = [] }) => windows.map(({ cutoff }) => cutoff));
  const found = new Set<number>();
  for (let minute = Math.floor(from / MINUTE); minute * MINUTE <= to && cutoffs.length > 0; minute++)
    for (const cutoff of [0, MINUTE, ...cutoffs]) found.add((minute + 1) * MINUTE - cutoff);
  return [...found].filter((at) => from < at && at <= to).sort((a, b) => a - b);
}

interface Rule {
  readonly label: string;
  readonly value: string;
}

/** Reads the `only` of a state and of the states around it: `member.zone == "north"`. */
function rulesOf(chart: Chart, state: StateNumber): Rule[] {
  return withAround(chart, state).flatMap((at) => {
    const only = chart.model.states[at]?.only;
    if (only === undefined) return [];
    const [, label = '', value = ''] = /^member\.(\w+) == "(\w+)"$/.exec(only) ?? [];
    return [{ label, value }];
  });
}

export function withAround(chart: Chart, state: StateNumber): StateNumber[] {
  return [state, ...ancestorsOf(chart.model, state)];
}
