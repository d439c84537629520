/** Tenants over HTTP, and direct access to their objects. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { Tenant } from '../../src/index.ts';
import { counting, final, sequence } from '../charts.ts';
import { send } from '../service.ts';

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

function tenantAt(tenant: string): DurableObjectStub<Tenant> {
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
