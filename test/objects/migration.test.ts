/** A machine is opened by every later version of the service: nothing that was stored is ever lost. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { MACHINE_SCHEMA, migrate } from '../../src/store/migrations.ts';
import { counting, final, newAddress, newChart, putChart, sequence } from '../charts.ts';
import {
  ask,
  chartOf,
  evict,
  historyOf,
  inStorage,
  report,
  reportTimes,
  send,
  statusOf,
} from '../service.ts';
import { namesOf, newTenant } from './tenants.ts';
import { STARTED, VERSION_1, VERSION_1_AT_NIGHT } from './version-1.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(STARTED + 1_000_000);
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a database of version 1', () => {
  it('opens with what it knew', async () => {
    const address = await addressWith(VERSION_1);
    expect((await ask(address, 'b')).headers.get('ETag')).toBe('"4"');
    expect(await statusOf(address)).toMatchObject({
      states: ['b'],
      revision: 4,
      since: new Date(STARTED + 60).toISOString(),
      changed: new Date(STARTED + 111).toISOString(),
      quorums: [{ state: 'b', event: 'update', have: 1, need: 3 }],
    });
    expect((await historyOf(address)).history).toMatchObject([
      { revision: 4, cause: 'update', event: 'update', from: ['b'], to: ['b'] },
      { revision: 3, from: ['a'], to: ['b'], entered: ['b'] },
      { revision: 2, from: ['a'], to: ['a'], entered: [] },
      { revision: 1, cause: 'start', event: null, from: [], to: ['a'], at: new Date(STARTED).toISOString() },
    ]);
    expect(parse(await chartOf(address))).toMatchObject({
      current_state: 'b',
      states: [{ current: { value: 2 } }, { current: { value: 1 } }, {}, {}],
    });
  });

  it('goes on counting where it stood', async () => {
    const address = await addressWith(VERSION_1);
    expect((await report(address, 'b')).headers.get('ETag')).toBe('"5"');
    expect((await report(address, 'b')).headers.get('ETag')).toBe('"6"');
    expect(await statusOf(address)).toMatchObject({
      states: ['night'],
      timers: [{ at: '2999-01-01T00:00:00.000Z' }],
    });
  });

  it('keeps its timers', async () => {
    const address = await addressWith(VERSION_1_AT_NIGHT);
    expect((await statusOf(address)).timers).toMatchObject([{ at: '2999-01-01T00:00:00.000Z' }]);
    vi.setSystemTime(Date.parse('2999-01-01T00:00:00Z'));
    expect((await ask(address, 'day')).status).toBe(200);
    expect((await historyOf(address)).history[0]).toMatchObject({
      revision: 7,
      cause: 'timer',
      from: ['night'],
    });
  });

  it('is on the list of its tenant, which there was not in its time, as soon as it is asked', async () => {
    const tenant = newTenant();
    const address = await addressWith(VERSION_1, `${tenant}/release@1`);
    expect(await namesOf(tenant)).toEqual([]);
    expect((await ask(address, 'b')).status).toBe(200);
    await vi.waitFor(async () => expect(await namesOf(tenant)).toEqual([address]));
    // And off it again, like any other.
    expect((await send('DELETE', `/${address}`)).status).toBe(204);
    expect(await namesOf(tenant)).toEqual([]);
  });

  it('is brought to the newest version once', async () => {
    const address = await addressWith(VERSION_1);
    await ask(address, 'b');
    await evict(address);
    await report(address, 'b');
    expect(await versionsOf(address)).toEqual(MACHINE_SCHEMA.map((_, i) => i + 1));
  });
});

describe('the version before', () => {
  it.each(MACHINE_SCHEMA.slice(1).map((_, i) => i + 1))(
    'reads and writes what the next one leaves: a step only adds to version %i',
    async (version) => {
      const [before, after] = [newAddress(), newAddress()];
      await inStorage(before, ({ sql }) => migrate(sql, MACHINE_SCHEMA.slice(0, version)));
      await inStorage(after, ({ sql }) => migrate(sql, MACHINE_SCHEMA.slice(0, version + 1)));
      const kept = new Map(await columnsOf(after));
      for (const [table, columns] of await columnsOf(before)) {
        const now = kept.get(table) ?? [];
        expect(now).toEqual(expect.arrayContaining([...columns]));
        // What it does not know of, it leaves out when it writes.
        const added = now.filter(({ name }) => !columns.some((known) => known.name === name));
        expect(added.filter((column) => column.notnull === 1 && column.dflt_value === null)).toEqual([]);
      }
    },
  );

  it('opens a storage of the next one, and leaves its number as it is', async () => {
    const address = await newChart('current_state: a\nstates: [{name: a}]\n');
    await ask(address, 'a');
    await inStorage(address, ({ sql }) => {
      sql.exec('INSERT INTO migration (version) VALUES (?)', MACHINE_SCHEMA.length + 1);
      sql.exec('ALTER TABLE machine ADD COLUMN later TEXT');
    });
    await evict(address);
    expect((await ask(address, 'a')).status).toBe(200);
    expect(await versionsOf(address)).toEqual([...MACHINE_SCHEMA, ''].map((_, i) => i + 1));
  });
});

describe('a new database', () => {
  it('has gone through all versions', async () => {
    const address = await newChart('current_state: a\nstates: [{name: a}]\n');
    await ask(address, 'a');
    expect(await versionsOf(address)).toEqual(MACHINE_SCHEMA.map((_, i) => i + 1));
  });

  it('has the tables that a database of version 1 is brought to', async () => {
    const fresh = await newChart('current_state: a\nstates: [{name: a}]\n');
    const old = await addressWith(VERSION_1);
    await ask(fresh, 'a');
    await reportTimes(old, 'b', 1);
    expect(await columnsOf(old)).toEqual(await columnsOf(fresh));
  });
});

/**
 * An address whose object finds a database in its storage. Another chart is there now, as version 1 had only charts
 * from the folder; the machine needs none but its own.
 */
async function addressWith(statements: string, address = newAddress()): Promise<string> {
  await putChart(address.replace(/@.*/, ''), sequence(counting('other', 'end'), final('end')));
  await inStorage(address, ({ sql }) => {
    sql.exec(statements);
  });
  await evict(address);
  return address;
}

async function versionsOf(address: string): Promise<unknown[]> {
  const rows = await inStorage(address, ({ sql }) =>
    sql.exec('SELECT version FROM migration ORDER BY version').toArray(),
  );
  return rows.map(({ version }) => version);
}

interface Column extends Record<string, SqlStorageValue> {
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
}

async function columnsOf(address: string): Promise<(readonly [table: string, columns: readonly Column[]])[]> {
  return inStorage(address, ({ sql }) =>
    sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .toArray()
      .map(({ name }) => [
        name,
        sql
          .exec<Column>(`SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info('${name}')`)
          .toArray(),
      ]),
  );
}
