import type { Address } from '../address.ts';
import type { Upload } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import type { Tried } from './chart-results.ts';
import { Draft } from './draft.ts';
import { recordsIn } from './records.ts';
import { noRevision } from './refusals.ts';
import { upload } from './restart.ts';
import type { Runtime } from './runtime.ts';

/**
 * Returns the outcome that an upload would have now. Nothing is written, and no machine begins. The bounds of the tenant are
 * not looked at.
 *
 * @param isDrawn whether the checked chart is asked for as well.
 */
export async function dryRun(
  runtime: Runtime,
  address: Address,
  command: Upload,
  isDrawn = false,
): Promise<Tried | Refusal> {
  const next = await runtime.charts.next(command, runtime.current());
  if (!next.ok) return next;
  // The machine may have changed while the chart was read.
  const machine = runtime.current();
  const drawn = isDrawn ? { definition: JSON.stringify(next.source.definition) } : {};
  if (machine !== undefined) {
    const outcome = upload(new Draft(machine, recordsIn(runtime.store)), command, next, Date.now());
    return outcome.ok ? { ...outcome, ...drawn } : outcome;
  }
  if (command.revisions !== undefined) return noRevision(address);
  const { chart, source, warnings } = next;
  const created = runtime.store.upload() === undefined;
  const { dialect } = chart.definition;
  return { ok: true, created, dialect, hash: source.hash, warnings, revision: 0, ...drawn };
}
