/**
 * What must be true of every world: nothing acknowledged is lost, nothing counts twice, no due timer is forgotten, bounds are
 * kept, and each wait ends.
 */

import type { Command } from '../../src/commands.ts';
import { HISTORY_ROWS, RECEIPTS, RECEIPTS_SLACK } from '../../src/limits.ts';
import { type Home, shortOf } from './homes.ts';
import { type Chronicle, type JournalEntry, rowsOf } from './journal.ts';
import type { Call, Observed, Say } from './observed.ts';
import { FAULT_LENGTH } from './plan.ts';
import type { SimulatedChart } from './simulated-charts.ts';
import { withinVisits } from './visit-invariants.ts';

/** How late a timer may fire where nobody asks the machine, ms: the pace of alarms, and the platform's own lateness. */
const LATENESS = 75_000;

/** How much longer than its wait a call may take: lost twice, or its batch lost (`BATCH_PATIENCE`); and where nothing fails, ms. */
const PATIENCE = 75_000;
const CALM_PATIENCE = 12_000;

/** Outcomes after which a command may have been executed. */
const UNSURE: ReadonlySet<string> = new Set(['lost', 'outcome-unknown', 'internal-error']);

/** How soon an answer comes that a call waits for, ms: the object reads storage each second, and messages take up to 40 ms. */
const PROMPT = 2_000;

/** How long after an entry is durable its message may be on its way, with no fault meanwhile: simulated ms. */
const TOLD_WITHIN = 5_000;

/** How soon a list shows a move, ms: a machine tells of two a second, and again after a pause where the call was lost. */
const LISTED_WITHIN = 5_000;

export function violationsOf(world: Observed): string[] {
  const violations: string[] = [];
  for (const chart of world.charts) {
    const chronicle = world.chronicles.get(chart.path);
    if (chronicle === undefined) continue;
    const calls = world.calls.filter(({ action }) => action.machine === chart.path);
    const say = (what: string, ...where: readonly (Call | JournalEntry)[]) =>
      violations.push(`${chart.path}: ${what}${where.map((one) => `\n      ${shown(one)}`).join('')}`);
    neverGoesBack(calls, say);
    // Where the history has dropped what no one could read, it decides nothing.
    if (chronicle.hasGap) continue;
    isConnected(chronicle, say);
    isAcknowledged(chronicle, calls, say);
    if (!world.isTight) isCountedOnce(chronicle, calls, say);
    withinVisits(world, chart, chronicle, say);
    allEnd(world, chronicle, calls, say);
    isTold(world, chart, chronicle, say);
    isListed(world, chart, chronicle, say);
  }
  for (const home of world.homes) {
    violations.push(...forgotten(world, home), ...unbounded(home));
    const isThere = rowsOf(home.database, 'SELECT 1 FROM machine').length > 0;
    if (isThere && !world.listed.has(shortOf(home.name)))
      violations.push(`${shortOf(home.name)}: is not in the registry`);
  }
  return violations;
}

/** The history of a machine has no gap: each entry goes on where the one before has ended. */
function isConnected({ entries }: Chronicle, say: Say): void {
  for (const [i, entry] of entries.entries()) {
    const before = entries[i - 1];
    if (before?.life !== entry.life) {
      if (before !== undefined && entry.revision <= before.revision)
        say('a new machine has an old revision', before, entry);
      continue;
    }
    if (before === undefined) continue;
    if (entry.id !== before.id + 1) say('an entry of the history is missing', before, entry);
    if (entry.revision < before.revision || entry.at < before.at) say('the history goes back', before, entry);
    if (entry.from.join() !== before.to.join())
      say('an entry does not go on where the one before has ended', before, entry);
  }
}

/** What was answered as done is in the durable history. */
function isAcknowledged({ entries }: Chronicle, calls: readonly Call[], say: Say): void {
  for (const call of calls) {
    const { asked, answer } = call;
    if (asked === undefined || answer?.ok !== true || !('revision' in answer)) continue;
    const { revision } = answer;
    if (asked.type === 'update') {
      const mine = entries.some(({ action, revision: at }) => action === call.action.id && at <= revision);
      if (!mine && !isRepeat(entries, asked, revision))
        say('a report was acknowledged, and is not in the history', call);
      continue;
    }
    const cause = CAUSES[asked.type];
    if (cause === undefined) continue;
    const found = entries.some(
      (entry) => entry.revision <= revision && entry.cause === cause && isBy(entry, asked, revision),
    );
    if (!found) say(`a ${asked.type} was acknowledged, and is not in the history`, call);
  }
}

/** Commands that write an entry each time that they succeed. */
const CAUSES: Readonly<Partial<Record<string, string>>> = {
  claim: 'claim',
  renew: 'claim',
  pause: 'pause',
  override: 'override',
};

function isBy(entry: JournalEntry, asked: NonNullable<Call['asked']>, revision: number): boolean {
  if (!('by' in asked) || entry.by !== asked.by) return false;
  // An operator acts once; a caller claims often.
  return asked.type === 'claim' || asked.type === 'renew' ? entry.revision === revision : true;
}

/** Whether the caller had reported in the present visit of the state, or in its last one. */
function isRepeat(
  entries: readonly JournalEntry[],
  { state, event, by }: Extract<Command, { type: 'update' }>,
  revision: number,
): boolean {
  if (by === undefined) return false;
  const known = entries.filter((entry) => entry.revision <= revision);
  const last = known.findLastIndex(
    (entry) => entry.cause === 'update' && entry.state === state && entry.event === event && entry.by === by,
  );
  return last >= 0 && !known.slice(last + 1).some(({ entered }) => entered.includes(state));
}

/** A report counts once: in a visit if it has a name, at all if it has a key or neither, and never if it was refused. */
function isCountedOnce({ entries }: Chronicle, calls: readonly Call[], say: Say): void {
  const counted = new Map<number, JournalEntry[]>();
  for (const entry of entries) {
    if (entry.cause !== 'update') continue;
    if (entry.action !== undefined) {
      const others = counted.get(entry.action) ?? [];
      const twice = others.find(({ life }) => life === entry.life);
      const { deed } = calls.find(({ action }) => action.id === entry.action)?.action ?? {};
      const isOfVisit = deed?.type === 'report' && deed.by !== undefined && deed.key === undefined;
      if (twice !== undefined && !isOfVisit) say('a report counts twice', twice, entry);
      counted.set(entry.action, [...others, entry]);
    }
  }
  for (const { asked, answer, action, from, to, ...call } of calls) {
    if (asked?.type !== 'update' || answer === undefined || answer.ok || UNSURE.has(answer.code)) continue;
    const isPlain = asked.key === undefined && asked.by === undefined;
    // What has a name may have counted with an earlier attempt, in an earlier visit; and a repeat may not arrive at all. A run
    // that has not begun keeps no answer to a key.
    const isKept = asked.key !== undefined && answer.code !== 'overloaded' && answer.machine?.revision !== 0;
    if (!isPlain && !isKept) continue;
    const entry = counted.get(action.id)?.find(({ life }) => life === from && life === to);
    if (entry !== undefined)
      say('a report was refused, and counts', { asked, answer, action, from, ...call }, entry);
  }
}

/** Who asks after an answer is told of no earlier revision. */
function neverGoesBack(calls: readonly Call[], say: Say): void {
  const answered = calls.filter(
    ({ returned, answer }) => returned !== undefined && revisionOf(answer) !== undefined,
  );
  const byReturn = answered.toSorted((a, b) => (a.returned ?? 0) - (b.returned ?? 0));
  const byCall = answered.toSorted((a, b) => a.called - b.called);
  let newest: Call | undefined;
  let next = 0;
  for (const call of byCall) {
    for (
      let done = byReturn[next];
      done?.returned !== undefined && done.returned < call.called;
      done = byReturn[next]
    ) {
      if ((revisionOf(done.answer) ?? 0) > (revisionOf(newest?.answer) ?? 0)) newest = done;
      next += 1;
    }
    // The answer to a key is the first one.
    const isOld = call.asked?.type === 'update' && call.asked.key !== undefined;
    if (newest !== undefined && !isOld && (revisionOf(call.answer) ?? 0) < (revisionOf(newest.answer) ?? 0))
      say('an answer is older than one that came before it was asked for', newest, call);
  }
}

function revisionOf(answer: Call['answer']): number | undefined {
  if (answer === undefined) return undefined;
  // A run that has not begun is at 0, also after it was erased.
  if (answer.ok) return 'revision' in answer ? answer.revision || undefined : undefined;
  return answer.machine?.revision || undefined;
}

/** Every call ends: one that waits soon after its time, and soon after its state has come. */
function allEnd(world: Observed, chronicle: Chronicle, calls: readonly Call[], say: Say): void {
  for (const call of calls) {
    const { asked, called, left, returned } = call;
    if (left) continue;
    const wait = asked !== undefined && 'wait' in asked ? (asked.wait ?? 0) : 0;
    const end = returned ?? world.now;
    const calm = isCalm(world, call.action.machine, called, end);
    const come = calm && wait > 0 ? comesAt(chronicle, call) : undefined;
    if (come !== undefined && end > come.at + PROMPT)
      say(`a wait has ended ${Math.floor(end - come.at)} ms after what it waits for`, call, come.entry);
    if (end - called > wait + (calm ? CALM_PATIENCE : PATIENCE))
      say(
        returned === undefined
          ? 'a call has not ended'
          : `a call has ended ${Math.floor(end - called - wait)} ms late`,
        call,
      );
  }
}

/** When what a call waits for was true for as long as `PROMPT`, simulated ms; undefined if it never was, or who asks matters. */
function comesAt(
  { entries }: Chronicle,
  { asked, called, from }: Call,
): { at: number; entry: JournalEntry } | undefined {
  let isPaused = false;
  let since: JournalEntry | undefined;
  for (const [i, entry] of entries.entries()) {
    if (entry.life !== from) continue;
    if (entry.cause === 'pause') isPaused = true;
    if (entry.cause === 'resume') isPaused = false;
    const isSo =
      asked?.type === 'status'
        ? !asked.known?.includes(entry.revision)
        : asked?.type === 'is' && asked.by === undefined && !isPaused && entry.to.includes(asked.state);
    since = isSo ? (since ?? entry) : undefined;
    const at = Math.max(called, since?.durable ?? 0);
    if (since !== undefined && (entries[i + 1]?.durable ?? Number.POSITIVE_INFINITY) > at + PROMPT)
      return { at, entry: since };
  }
  return undefined;
}

/** Whether no fault can have had an effect on a machine between two moments, simulated ms. */
function isCalm({ plan }: Observed, path: string, from: number, to: number): boolean {
  return plan.faults.every(({ at, kind, amount, machine }) => {
    if (machine !== path && machine !== 'registry') return true;
    const over = at + FAULT_LENGTH + (kind === 'alarm-late' ? amount : 0);
    return over < from || at > to;
  });
}

/** A hook is told of each state, in order, at least once. The world may end before it is told of the last one. */
function isTold(
  { told, now }: Observed,
  { path, told: states = [] }: SimulatedChart,
  { entries, life }: Chronicle,
  say: Say,
): void {
  if (states.length === 0) return;
  const messages = told.filter((message) => message.path === path).map(({ id }) => id);
  let last = 0;
  for (const entry of entries) {
    if (entry.life !== life || !entry.entered.some((state) => states.includes(state))) continue;
    const first = messages.indexOf(entry.id);
    if (first < 0 && entry.durable > now - TOLD_WITHIN) continue;
    if (first < 0) say('a hook was not told', entry);
    else if (life === 1 && first < last) say('a hook was told in another order', entry);
    last = Math.max(last, first);
  }
}

/** The tenant's list shows the states that the machine is in, or was in a moment ago. */
function isListed(
  { listed, now }: Observed,
  { path }: SimulatedChart,
  { entries, written }: Chronicle,
  say: Say,
): void {
  const states = listed.get(path);
  if (states === undefined || written === 0) return;
  const recent = entries.findLastIndex(({ durable }) => durable < now - LISTED_WITHIN);
  const isRight = entries.slice(Math.max(0, recent)).some(({ to }) => to.join() === states.join());
  if (!isRight) say(`the list of the tenant shows [${states}]`, ...entries.slice(-1));
}

/** Timers, leases and pauses that are over, and that no alarm has ended. */
function forgotten({ epoch, now }: Observed, { name, database, dropped }: Home): string[] {
  const late = epoch + now - LATENESS;
  const found = [
    ...rowsOf<{ at: number; what: string }>(
      database,
      `SELECT at, 'the timer ' || event AS what FROM timer WHERE at < ?`,
      late,
    ),
    ...rowsOf<{ at: number; what: string }>(
      database,
      `SELECT until AS at, 'the lease of ' || caller AS what FROM claim WHERE until < ?`,
      late,
    ),
    ...rowsOf<{ at: number; what: string }>(
      database,
      `SELECT json_extract(pause, '$.until') AS at, 'the pause' AS what FROM pause WHERE json_extract(pause, '$.until') < ?`,
      late,
    ),
  ];
  const isPaused = rowsOf(database, 'SELECT 1 FROM pause').length > 0;
  return found
    .filter(({ what }) => !isPaused || !what.startsWith('the timer'))
    .map(
      ({ at, what }) =>
        `${shortOf(name)}: ${what} was due ${Math.floor(epoch + now - at)} ms ago (${dropped} alarms were dropped)`,
    );
}

function unbounded({ name, database }: Home): string[] {
  const count = (table: string) =>
    rowsOf<{ n: number }>(database, `SELECT count(*) AS n FROM ${table}`)[0]?.n ?? 0;
  const bounds = { history: HISTORY_ROWS, receipt: 2 * RECEIPTS + RECEIPTS_SLACK } as const;
  return Object.entries(bounds).flatMap(([table, most]) =>
    count(table) > most
      ? [`${shortOf(name)}: the table ${table} has ${count(table)} rows, and ${most} are its bound`]
      : [],
  );
}

function shown(one: Call | JournalEntry): string {
  if ('durable' in one) {
    const { id, revision, cause, event, state, by, from, to, durable } = one;
    return `entry ${id} at revision ${revision}, durable at ${durable.toFixed(1)}: ${cause} ${[event, state, by].filter(Boolean).join(' ')} [${from}] to [${to}]${one.action === undefined ? '' : ` of action ${one.action}`}`;
  }
  const { action, asked, called, returned, answer } = one;
  const came =
    answer === undefined
      ? 'no answer'
      : answer.ok
        ? `ok ${'revision' in answer ? answer.revision : ''}`
        : `${answer.code} ${answer.machine?.revision ?? ''}`;
  return `call of action ${action.id} at ${called.toFixed(1)}, ${action.via}: ${JSON.stringify(asked)}, ${came} at ${returned?.toFixed(1) ?? '-'}`;
}
