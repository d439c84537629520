import type { Command, Outcome } from '../commands.ts';
import { ACTIVE_COST, BATCH_BUDGET, COMMAND_COST } from '../limits.ts';
import { apply } from './apply.ts';
import type { Queued } from './command-queue.ts';
import type { Draft } from './draft.ts';

/**
 * Applies the commands of a batch to a draft, in order, until they have cost `BATCH_BUDGET`; at least one.
 *
 * @returns their outcomes. The commands without one are left for a later turn, so that other machines' requests run in
 *   between.
 */
export function applyWithin(draft: Draft, batch: readonly Queued[], now: number): Outcome[] {
  const outcomes: Outcome[] = [];
  let cost = 0;
  for (const { command, next } of batch) {
    if (cost >= BATCH_BUDGET) break;
    const { chart, snapshot } = draft.machine;
    const before = chart.evaluator.total;
    outcomes.push(apply(draft, command, now, next));
    cost += costOf(command) + ACTIVE_COST * snapshot.active.size + chart.evaluator.total - before;
  }
  return outcomes;
}

/** Returns the cost of a command beside its events. A change of members or inputs counts the reports of all members anew. */
function costOf({ type }: Command): number {
  if (type === 'members') return BATCH_BUDGET;
  return type === 'inputs' || type === 'strike' ? BATCH_BUDGET / 2 : COMMAND_COST;
}
