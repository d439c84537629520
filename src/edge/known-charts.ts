/**
 * Whether an address has a chart, found out before its object is called. An object that is called costs some 65 kB of
 * memory and, under workerd, a file: so no object of a machine is created for an address that can have no machine. The object
 * of its tenant is called, also if the tenant has no machines: one for all its addresses. It only reads.
 */
import { type Address, formatAddress } from '../address.ts';
import { KNOWN_CHARTS } from '../limits.ts';
import { LruCache } from '../lru-cache.ts';
import { type CatalogBindings, findChart } from '../objects/catalog.ts';
import { noChart } from '../objects/refusals.ts';
import { type ObjectBindings, tenantNamed } from '../objects/stubs.ts';
import type { Refusal } from '../refusal.ts';
import { attempt } from './attempt.ts';
import { RemoteMachine } from './remote-machine.ts';

/**
 * How long an address is taken to have a chart, in ms: a chart that is taken away meanwhile costs at most an object that
 * finds none.
 */
export const KNOWN_FOR = 60_000;

/**
 * Refuses an address that can have no machine.
 *
 * @param name the written address.
 * @returns undefined, without a promise, if this isolate has found the chart within `KNOWN_FOR`: the object looks for
 *   it again.
 */
export function checkChart(
  bindings: CatalogBindings & ObjectBindings,
  address: Address,
  name: string,
): Promise<Refusal | undefined> | undefined {
  // The service's own machine has one object, with a chart or without.
  if (address.tenant === undefined || isKnown(name)) return undefined;
  const { tenant, run, ...service } = address;
  const base = { tenant, ...service };
  if (run !== undefined && isKnown(formatAddress(base))) return undefined;
  return look(bindings, tenant, base, address);
}

async function look(
  bindings: CatalogBindings & ObjectBindings,
  tenant: string,
  base: Address,
  address: Address,
): Promise<Refusal | undefined> {
  const isKept = wasKnown(address) || wasKnown(base);
  try {
    if ((await findChart(bindings, base)) !== undefined) return remember(base);
  } catch (error) {
    if (!isKept) throw error;
    console.error('a chart cannot be looked for', error);
    return undefined;
  }
  // A machine that has begun keeps its chart, and is in its tenant's registry.
  const found = await attempt(true, async () => tenantNamed(bindings, tenant).has([address, base]));
  // A machine does not need its tenant to answer, nor the folder.
  if ('code' in found) return isKept ? undefined : found;
  const [isThere, isBaseThere] = found;
  if (isThere) return remember(address);
  if (isBaseThere) {
    const uploaded = await new RemoteMachine(bindings, base).read({ type: 'uploaded' });
    if (uploaded.ok) return remember(base);
    if (uploaded.code !== 'no-chart') return uploaded;
  }
  return noChart(address);
}

/** Addresses that have a chart, each with the time until which that is taken for granted, ms since the epoch. */
const known = new LruCache<string, number>(KNOWN_CHARTS);

function isKnown(name: string): boolean {
  return (known.get(name) ?? 0) > Date.now();
}

/** Whether this isolate has found the chart of an address, however long ago. */
function wasKnown(address: Address): boolean {
  return known.get(formatAddress(address)) !== undefined;
}

function remember(address: Address): undefined {
  known.set(formatAddress(address), Date.now() + KNOWN_FOR);
}
