/** Counts what Cloudflare bills of the service's objects: their requests, and the rows that they write. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { onTestFinished, vi } from 'vitest';
import { Machine, Tenant } from '../../src/index.ts';
import { objectAt } from '../service.ts';
import { callsOn } from './spies.ts';

/** The work of objects since the last reading. */
export interface Bill {
  /** Calls of their methods, and alarms. https://developers.cloudflare.com/durable-objects/platform/pricing/ */
  readonly requests: number;
  /** Rows written, with those of schemas, and alarms set: "each setAlarm() is billed as a single row written". */
  readonly rows: number;
}

/** Meters the requests and rows of the machines at these addresses and of their tenants. */
export async function meter(...addresses: readonly string[]): Promise<() => Bill> {
  const bill = { requests: 0, rows: 0 };
  const requests = [
    vi.spyOn(Machine.prototype, 'execute'),
    vi.spyOn(Machine.prototype, 'read'),
    vi.spyOn(Machine.prototype, 'alarm'),
    vi.spyOn(Tenant.prototype, 'enter'),
    vi.spyOn(Tenant.prototype, 'correct'),
    vi.spyOn(Tenant.prototype, 'keepRevision'),
    vi.spyOn(Tenant.prototype, 'leave'),
    vi.spyOn(Tenant.prototype, 'has'),
    vi.spyOn(Tenant.prototype, 'tell'),
  ];
  onTestFinished(() => {
    for (const spy of requests) spy.mockRestore();
  });
  const tenants = new Set(addresses.map((address) => address.split('/')[0] ?? ''));
  const metered = new Set([...addresses, ...tenants]);
  for (const address of addresses) await runInDurableObject(objectAt(address), meterRows);
  for (const tenant of tenants) await runInDurableObject(env.TENANTS.getByName(tenant), meterRows);
  return () => {
    const since = {
      requests: requests.reduce((sum, spy) => sum + callsOn(spy, ...metered), 0),
      rows: bill.rows,
    };
    for (const spy of requests) spy.mockClear();
    bill.rows = 0;
    return since;
  };

  function meterRows(_: unknown, { storage }: DurableObjectState): void {
    const { sql } = storage;
    const exec = sql.exec.bind(sql);
    sql.exec = <Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]) => {
      // A cursor counts the rows of its last statement only.
      const statements = bindings.length > 0 ? [query] : statementsOf(query);
      const cursors = statements.map((statement) => exec<Row>(statement, ...bindings));
      for (const { rowsWritten } of cursors) bill.rows += rowsWritten;
      const last = cursors.at(-1);
      if (last === undefined) throw new Error('there is no statement');
      return last;
    };
    const setAlarm = storage.setAlarm.bind(storage);
    storage.setAlarm = (...args) => {
      bill.rows += 1;
      return setAlarm(...args);
    };
    // workerd stores a deleted alarm in the row of the one that is set.
    const deleteAlarm = storage.deleteAlarm.bind(storage);
    storage.deleteAlarm = (...args) => {
      bill.rows += 1;
      return deleteAlarm(...args);
    };
  }
}

/** Splits SQL without texts and triggers into its statements. */
function statementsOf(query: string): string[] {
  return query
    .replace(/--[^\n]*/g, '')
    .split(';')
    .filter((statement) => statement.trim() !== '');
}
