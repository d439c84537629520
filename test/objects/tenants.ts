/** Tenants over HTTP, and direct access to their objects. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import { parseObjectName } from '../../src/address.ts';
import type { Tenant } from '../../src/index.ts';
import { counting, final, sequence } from '../charts.ts';
import { inStorage, send } from '../service.ts';

interface Listed {
  readonly machine: string;
  readonly dialect?: string;
  readonly states?: readonly string[];
  readonly status: string;
  readonly revision?: number;
  readonly changed?: string;
}

export interface TenantDocument {
  readonly tenant: string;
  readonly machines: readonly Listed[];
  readonly after?: string;
}

/** A chart of two states. */
export const CHART = sequence(counting('drain', 'done', 2), final('done'));

/** @returns a tenant that no other test has. */
export function newTenant(): string {
  return `tenant-${crypto.randomUUID().slice(0, 8)}`;
}

export async function listOf(tenant: string, query = ''): Promise<TenantDocument> {
  const response = await send('GET', `/${tenant}${query}`);
  if (response.status !== 200) throw new Error(`the list of ${tenant} was answered ${response.status}`);
  return response.json();
}

/** The addresses of a list. */
export async function namesOf(tenant: string, query = ''): Promise<string[]> {
  return (await listOf(tenant, query)).machines.map(({ machine }) => machine);
}

/** Whether a machine is on the list of its tenant: one chart's part of it, because test files share a tenant. */
export async function isListed(address: string): Promise<boolean> {
  const [tenant = '', chart = ''] = address.replace(/@.*/, '').split('/');
  return (await namesOf(tenant, `?chart=${chart}`)).includes(address);
}

export function tenantAt(tenant: string): DurableObjectStub<Tenant> {
  return env.TENANTS.getByName(tenant);
}

/** Reads or changes a tenant's storage directly. */
export async function inTenant<T>(
  tenant: string,
  look: (sql: SqlStorage, storage: DurableObjectStorage) => T,
): Promise<T> {
  return runInDurableObject(tenantAt(tenant), (_: Tenant, { storage }) => look(storage.sql, storage));
}

/** Evicts the object. */
export async function evictTenant(tenant: string): Promise<void> {
  await evictDurableObject(tenantAt(tenant));
}

/** Waits until the tenant of a machine has heard of its last move. */
export async function whenTold(address: string): Promise<void> {
  const { tenant = '', chart, run = '' } = parseObjectName(address);
  const moved =
    "SELECT after AS states, at AS since FROM history WHERE entered <> '[]' ORDER BY revision DESC LIMIT 1";
  const heard = 'SELECT states, since FROM machine WHERE chart = ? AND run = ?';
  await vi.waitUntil(
    async () => {
      const [move] = await inStorage(address, ({ sql }) => sql.exec(moved).toArray());
      const [told] = await inTenant(tenant, (sql) => sql.exec(heard, chart, run).toArray());
      return JSON.stringify(told) === JSON.stringify(move);
    },
    { timeout: 20_000, interval: 20 },
  );
}
