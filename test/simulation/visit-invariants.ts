/** What must be true of the visits of states, told from the durable history alone. */
import type { Chronicle, JournalEntry } from './journal.ts';
import type { Observed, Say } from './observed.ts';
import type { SimulatedChart } from './simulated-charts.ts';

/** How long after a timer's moment its state may still be shown as current where nobody asks, ms. */
const LATENESS = 75_000;

interface Visit {
  readonly since: JournalEntry;
  /** Reports that count towards leaving it. */
  readonly counted: JournalEntry[];
  /** By caller: when the lease ends, ms since the epoch. */
  readonly held: Map<string, JournalEntry>;
  /** Ms for which the machine was paused meanwhile. */
  paused: number;
}

/** In each visit, a caller counts once, a quorum is exact, slots are kept, and timers are on time. */
export function withinVisits(
  { epoch, now: end, isTight }: Observed,
  chart: SimulatedChart,
  { entries, written }: Chronicle,
  say: Say,
): void {
  let visits = new Map<string, Visit>();
  let pausedAt: number | undefined;
  let life = 0;
  for (const entry of entries) {
    if (entry.life !== life) {
      visits = new Map();
      pausedAt = undefined;
      life = entry.life;
    }
    for (const [state, visit] of visits) {
      countIn(chart, state, visit, entry, isTight ? () => {} : say);
      holdIn(chart, state, visit, entry, say);
      const due = dueOf(chart, state, visit);
      if (pausedAt === undefined && entry.at > due)
        say(`${state} was left late: its timer was due ${entry.at - due} ms before`, visit.since, entry);
    }
    if (entry.cause === 'pause') pausedAt ??= entry.at;
    if (entry.cause === 'resume' && pausedAt !== undefined) {
      for (const visit of visits.values()) visit.paused += entry.at - Math.max(pausedAt, visit.since.at);
      pausedAt = undefined;
    }
    for (const state of chart.states) {
      if (!entry.to.includes(state) || entry.entered.includes(state)) visits.delete(state);
      if (entry.entered.includes(state) && entry.to.includes(state)) {
        visits.set(state, { since: entry, counted: [], held: new Map(), paused: 0 });
      }
    }
  }
  // It was erased.
  if (written === 0) return;
  const now = epoch + end;
  for (const [state, visit] of visits) {
    if (pausedAt === undefined && now > dueOf(chart, state, visit) + LATENESS)
      say(`${state} was not left: its timer is forgotten`, visit.since);
  }
}

function countIn(
  { quorums }: SimulatedChart,
  state: string,
  { counted, since }: Visit,
  entry: JournalEntry,
  say: Say,
): void {
  if (entry.cause !== 'update' || entry.state !== state) return;
  const before = counted.find(
    ({ by, event }) => entry.by !== null && by === entry.by && event === entry.event,
  );
  if (before !== undefined) say(`${entry.by} counts twice in one visit of ${state}`, before, entry);
  counted.push(entry);
  const quorum = quorums[state];
  if (quorum === undefined || entry.event !== 'update') return;
  const ofUpdates = counted.filter(({ event }) => event === 'update').length;
  const isLeft = !entry.to.includes(state) || entry.entered.includes(state);
  if (isLeft !== (ofUpdates === quorum))
    say(`${state} has counted ${ofUpdates} of ${quorum}, and was ${isLeft ? '' : 'not '}left`, since, entry);
}

function holdIn(
  { slots }: SimulatedChart,
  state: string,
  { held }: Visit,
  entry: JournalEntry,
  say: Say,
): void {
  const most = slots[state];
  if (most === undefined || entry.by === null || entry.state !== state) return;
  if (entry.cause === 'claim') {
    const isRenewal = entry.notes.includes('renewed');
    if (isRenewal !== held.has(entry.by))
      say(`a claim of ${entry.by} is ${isRenewal ? '' : 'not '}a renewal`, entry);
    held.set(entry.by, entry);
    if (held.size > most) say(`${held.size} hold a slot of ${state}, which has ${most}`, ...held.values());
  } else if (['release', 'lease-expired', 'update'].includes(entry.cause)) held.delete(entry.by);
}

/** When the timer of a state is due, ms since the epoch. */
function dueOf({ after }: SimulatedChart, state: string, { since, paused }: Visit): number {
  return since.at + paused + (after[state] ?? Number.POSITIVE_INFINITY);
}
