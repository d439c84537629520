/** What a machine does without a request: timers fire, leases, cooldowns and pauses end. */
import { type Chart, fire } from '../../src/chart/chart.ts';
import { type Claim, changed, counted, type Machine, moved } from './machine.ts';
import { type Moment, notBefore } from './moment.ts';
import { resumed } from './pauses.ts';

/** A machine at a moment at which nothing is due any more. */
export interface Settled {
  readonly machine: Machine;
  /** What is known of this moment. */
  readonly when: Moment;
}

/**
 * Generates the machines after everything that is due up to a moment, the earliest first. There is more than one
 * result if it is not known which of two timers is earlier, or whether a timer was due.
 *
 * @param revision the highest revision of the result.
 */
export function* settled(
  chart: Chart,
  machine: Machine,
  when: Moment,
  revision = Number.POSITIVE_INFINITY,
): Generator<Settled, undefined> {
  if (machine.revision > revision) return;
  const due = dueOf(machine);
  const end = Math.min(...due.map(({ at }) => at.to));
  // A timer is due at its own moment; everything else is due later.
  if (due.length === 0) yield { machine, when };
  else if (end > when.from) {
    const narrowed = { from: when.from, to: Math.min(when.to, end) };
    yield { machine: narrow(machine, when.from), when: narrowed };
  }
  for (const next of due) {
    if (next.at.from > Math.min(when.to, end)) continue;
    const at = notBefore(machine.changed.from, { from: next.at.from, to: Math.min(when.to, end) });
    const after = { from: Math.max(when.from, at.from), to: when.to };
    if (after.from > after.to) continue;
    yield* settled(chart, pass(chart, narrow(machine, at.from), next, at), after, revision);
  }
}

type Due = { readonly at: Moment } & (
  | { readonly timer: number }
  | { readonly claim: Claim }
  | { readonly cooling: Machine['cooling'][number] }
  | { readonly pause: true }
);

function dueOf({ timers, claims, cooling, paused }: Machine): Due[] {
  return [
    ...[...timers].map(([timer, at]) => ({ timer, at })),
    ...claims.map((claim) => ({ claim, at: claim.until })),
    ...cooling.map((slot) => ({ cooling: slot, at: slot.until })),
    ...(paused?.until === undefined ? [] : [{ pause: true as const, at: paused.until }]),
  ];
}

function pass(chart: Chart, machine: Machine, due: Due, at: Moment): Machine {
  if ('claim' in due) {
    const { state, by } = due.claim;
    const claims = machine.claims.filter((claim) => claim.state !== state || claim.by !== by);
    return changed(counted({ ...machine, claims }, 'expired'), at);
  }
  if ('cooling' in due) {
    // A cooldown ends without a change. Its moment may have been narrowed since.
    const { state, until } = due.cooling;
    const index = machine.cooling.findIndex((slot) => slot.state === state && slot.until.to === until.to);
    return { ...machine, cooling: machine.cooling.toSpliced(index, 1) };
  }
  if ('pause' in due) return resumed(machine, at);
  const timer = machine.snapshot.timers.get(due.timer);
  if (timer === undefined) throw new Error(`no timer ${due.timer} is set`);
  return moved(counted(machine, 'timers'), at, (now) => fire(chart, machine.snapshot, timer, now));
}

/** Moves the moments of what was not due at `from` to later ones. */
function narrow(machine: Machine, from: number): Machine {
  const later = <Ending extends { readonly until: Moment }>(ending: Ending): Ending => ({
    ...ending,
    until: notBefore(from, ending.until),
  });
  const { paused } = machine;
  return {
    ...machine,
    timers: new Map([...machine.timers].map(([id, at]) => [id, notBefore(from, at)])),
    claims: machine.claims.map(later),
    cooling: machine.cooling.map(later),
    ...(paused?.until === undefined ? {} : { paused: { ...paused, until: notBefore(from, paused.until) } }),
  };
}
