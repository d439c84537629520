/**
 * Whether an address has a chart, asked before its object is. An object that is merely asked costs some 65 kB of memory
 * and, under workerd, a file: so no object is made for an address that can have no machine.
 */
import { type Address, formatAddress } from '../address.ts';
import { KNOWN_CHARTS, KNOWN_FOR } from '../limits.ts';
import { type CatalogBindings, findChart } from '../objects/catalog.ts';
import { noChart } from '../objects/refusals.ts';
import { machineAt, type ObjectBindings, tenantNamed } from '../objects/stubs.ts';
import type { Refusal } from '../refusal.ts';

/**
 * @returns why an address can have no machine, or nothing. At once where this isolate has found its chart a moment ago:
 *   then the object is asked, which looks for itself.
 */
export function checkChart(
  bindings: CatalogBindings & ObjectBindings,
  address: Address,
): Promise<Refusal | undefined> | undefined {
  const { tenant, run: _, ...service } = address;
  // The service's own chart has one object, whether it is there or not.
  if (tenant === undefined) return undefined;
  const base = { tenant, ...service };
  if (isKnown(base) || isKnown(address)) return undefined;
  return look(bindings, tenant, base, address);
}

async function look(
  bindings: CatalogBindings & ObjectBindings,
  tenant: string,
  base: Address,
  address: Address,
): Promise<Refusal | undefined> {
  if ((await findChart(bindings, base)) !== undefined) return remember(base);
  // A machine that has begun keeps its chart, and its tenant lists it.
  const [isThere, isBaseThere] = await tenantNamed(bindings, tenant).has([address, base]);
  if (isThere) return remember(address);
  if (isBaseThere && (await machineAt(bindings, base).uploaded()) !== undefined) return remember(base);
  return noChart(address);
}

/** Until when an address is taken to have a chart, ms since the epoch; the one that was looked for last at the end. */
const known = new Map<string, number>();

function isKnown(address: Address): boolean {
  return (known.get(formatAddress(address)) ?? 0) > Date.now();
}

function remember(address: Address): undefined {
  const name = formatAddress(address);
  known.delete(name);
  known.set(name, Date.now() + KNOWN_FOR);
  if (known.size > KNOWN_CHARTS) known.delete(known.keys().next().value ?? '');
}
