import { freeSlots, isActive, mayCome, type StateNumber, type Turn } from '../chart/chart.ts';
import { PREVIEW_LOOK } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import { reportKey } from '../store/receipt-table.ts';
import { enteredSince, findState, turnIn } from './lookup.ts';
import { type MachineState, nextChange } from './machine-state.ts';
import { withMissing } from './member-refusals.ts';
import { deleted, refuseTurn, tooManyWaiting } from './refusals.ts';
import type { Current, IsQuery } from './results.ts';
import type { Runtime } from './runtime.ts';
import { type Condition, leftIn, slotsFreeIn, type WaitEnd, type Waits } from './waits.ts';

/** Waits for a condition until a time, ms since the epoch. */
type Wait = (condition: Condition, until: number) => Promise<WaitEnd>;

/**
 * Answers whether a state is current, or, for a named caller, whether it may go. With `wait`, the answer comes as soon as
 * it is, or never can be.
 *
 * @param present the machine as it is stored now, if there is one.
 */
export async function ask(
  runtime: Runtime,
  present: MachineState | undefined,
  { state: name, by, wait: ms = 0, since }: IsQuery,
  waits: Waits,
  wait: Wait,
): Promise<Current | Refusal> {
  const until = ms === 0 ? 0 : Date.now() + ms;
  let machine = present ?? (since ? deleted() : await runtime.read());
  for (;;) {
    if ('ok' in machine) return machine;
    const now = Date.now();
    const found = findState(machine, name);
    if (!found.ok) return found;
    const { state } = found;
    const current = machine;
    const turn = turnIn(
      current,
      { state, by },
      (event) => hasReported(runtime, current, state, event, by),
      now,
    );
    if (turn.answer === 'go') return { ok: true, revision: machine.revision };
    if (by === undefined && since !== undefined && !isActive(machine.snapshot, state)) {
      const entered = enteredSince(machine, state, since, runtime.store.history);
      if (entered !== undefined) return { ok: true, revision: entered };
    }
    if (now >= until || turn.answer === 'never') {
      const refusal = refuseTurn(machine, turn, { name, by }, now);
      return turn.why === 'not-current' ? withMissing(refusal, machine, runtime.expected) : refusal;
    }
    if (waits.full) return tooManyWaiting(machine);
    const condition = conditionOf(turn, state);
    const end = await wait(condition, Math.min(until, turn.again ?? until, nextCheck(machine, now)));
    // It became current, perhaps only briefly: a commit that enters and leaves the state ends the wait as well.
    if (end === 'current' && by === undefined && runtime.current()?.snapshot.terms.paused === undefined) {
      return { ok: true, revision: runtime.current()?.revision ?? machine.revision };
    }
    machine = await machineAfterWait(runtime, machine);
  }
}

/**
 * Returns the condition on which a wait that was held back looks again. Windows open by themselves, at the end of the
 * wait's time, and a list of members ends all waits.
 */
function conditionOf(
  { why, state }: Extract<Turn, { readonly answer: 'not-yet' }>,
  asked: StateNumber,
): Condition {
  if (why === 'not-current') return asked;
  if (why === 'paused') return 'resumed';
  return why === 'slots-taken' ? slotsFreeIn(state) : leftIn(state);
}

/**
 * Reads the machine again after a wait. A machine that was deleted meanwhile does not begin again for the requests that
 * waited; a run that had not begun is read again.
 */
export async function machineAfterWait(
  runtime: Runtime,
  before: MachineState,
): Promise<MachineState | Refusal> {
  return runtime.current() ?? (before.preview === undefined ? deleted() : await runtime.read());
}

/** Ends the waits that a commit has decided. @param passed states that it entered, also those that it left again. */
export function wakeAfter(waits: Waits, machine: MachineState, passed: ReadonlySet<StateNumber>): void {
  const { chart, snapshot } = machine;
  waits.wake('change');
  if (snapshot.terms.paused === undefined) waits.wake('resumed');
  for (const state of waits.states()) {
    if (passed.has(state) || isActive(snapshot, state)) waits.wake(state, 'current');
    else if (!mayCome(chart, snapshot, state)) waits.wake(state);
  }
  for (const state of waits.statesToLeave()) if (!isActive(snapshot, state)) waits.wake(leftIn(state));
  offerSlots(waits, machine);
}

/**
 * Ends as many waits for slots as there are free ones. An ask takes no slot, and its caller may have left: this is called once
 * a second as well, so the next caller is told.
 */
export function offerSlots(waits: Waits, machine: MachineState): void {
  const { chart, snapshot } = machine;
  for (const state of waits.statesWithSlots()) {
    const free = isActive(snapshot, state) ? freeSlots(chart, machine, state, Date.now()) : undefined;
    waits.wake(slotsFreeIn(state), 'changed', free);
  }
}

/** Whether the caller has reported in the present visit of the state. A run that has not begun has no reports. */
function hasReported(
  { store }: Runtime,
  { snapshot, preview }: MachineState,
  state: StateNumber,
  event: string,
  by: string | undefined,
): boolean {
  if (preview !== undefined || by === undefined) return false;
  const receipt = store.receipts.find(reportKey(state, event, by));
  return receipt !== undefined && receipt.visit === (snapshot.active.get(state)?.number ?? 0);
}

/**
 * Returns when a wait must check the machine again, ms since the epoch. Commits end the waits at a machine that has begun.
 * A run that has not begun commits nothing, but the moments of its chart's timers pass.
 */
function nextCheck(machine: MachineState, now: number): number {
  const next = machine.preview === undefined ? undefined : nextChange(machine);
  return next === undefined ? Number.POSITIVE_INFINITY : Math.max(next, now + PREVIEW_LOOK);
}
