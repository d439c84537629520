import type { Address } from '../address.ts';
import type { Upload, Uploaded } from '../commands.ts';
import type { Refusal } from '../refusal.ts';
import { Draft } from './draft.ts';
import { recordsIn } from './records.ts';
import { noRevision } from './refusals.ts';
import { upload } from './restart.ts';
import type { Runtime } from './runtime.ts';

/**
 * Returns the outcome that an upload would have now. Nothing is written, and no machine begins. The bounds of the tenant are
 * not looked at.
 */
export async function dryRun(
  runtime: Runtime,
  address: Address,
  command: Upload,
): Promise<Uploaded | Refusal> {
  const next = await runtime.charts.next(command, runtime.current());
  if (!next.ok) return next;
  // The machine may have changed while the chart was read.
  const machine = runtime.current();
  if (machine !== undefined)
    return upload(new Draft(machine, recordsIn(runtime.store)), command, next, Date.now());
  if (command.revisions !== undefined) return noRevision(address);
  const { chart, source, warnings } = next;
  const created = runtime.store.upload() === undefined;
  return { ok: true, created, dialect: chart.definition.dialect, hash: source.hash, warnings, revision: 0 };
}
