/** Append-only migrations: a step of the schema loses nothing, and the version before works with what it leaves. */
import { describe, expect, it } from 'vitest';
import { migrate } from '../../src/store/migrations.ts';
import { MACHINE_SCHEMA, OPTIONAL_TABLES, TENANT_SCHEMA } from '../../src/store/schema.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, evict, historyOf, inStorage, report, rowsOf, send, statePath, statusOf } from '../service.ts';

/** What a next version may do: it adds a table, and columns with defaults. */
const NEXT_STEP = `
  ALTER TABLE machine ADD COLUMN paused_at INTEGER;
  ALTER TABLE history ADD COLUMN reason TEXT NOT NULL DEFAULT 'none';
  ${OPTIONAL_TABLES.claim}
  ALTER TABLE claim ADD COLUMN note TEXT NOT NULL DEFAULT 'none';
  CREATE TABLE outbox (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
  INSERT INTO outbox (body) SELECT 'revision ' || revision FROM machine;
`;

/** The schema of a machine that has every table. */
const EVERY_TABLE = [[...MACHINE_SCHEMA, ...Object.values(OPTIONAL_TABLES)].join('\n')];

/** Steps that the version before does not survive. */
const BREAKING_STEPS = [
  ['renames a column', 'ALTER TABLE machine RENAME COLUMN entries TO rows'],
  ['drops a table', 'DROP TABLE claim'],
  [
    'asks for a column that the version before does not write',
    `DROP TABLE timer;
     CREATE TABLE timer (id INTEGER PRIMARY KEY, label TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL,
                         zone TEXT NOT NULL)`,
  ],
] as const;

describe('a new machine', () => {
  it('has the newest version of the schema, in one row', async () => {
    const address = await newMachine();
    expect(await versionsOf(address)).toEqual([MACHINE_SCHEMA.length]);
  });
});

describe('a machine of version 1', () => {
  it('opens with what it knew, and is brought to the newest version', async () => {
    const address = await machineOfVersion1();
    expect(await versionsOf(address)).toEqual([1]);
    expect(await statusOf(address)).toMatchObject({
      states: ['b'],
      revision: 4,
      quorums: [{ state: 'b', event: 'update', have: 1, need: 3 }],
    });
    expect((await historyOf(address)).history).toMatchObject([
      { revision: 4, cause: 'update', from: ['b'], to: ['b'] },
      { revision: 3, cause: 'update', from: ['a'], to: ['b'], entered: ['b'] },
      { revision: 2, cause: 'update', from: ['a'], to: ['a'], entered: [] },
      { revision: 1, cause: 'start', from: [], to: ['a'], entered: ['a'] },
    ]);
    expect(await versionsOf(address)).toEqual([1, MACHINE_SCHEMA.length]);
  });

  it('keeps data in its history from then on', async () => {
    const address = await machineOfVersion1();
    const response = await send('PUT', statePath(address, 'b'), { body: '{"errors": 0}' });
    expect(response.headers.get('ETag')).toBe('"5"');
    const [newest, ...older] = (await historyOf(address)).history;
    expect(newest).toMatchObject({ revision: 5, data: { errors: 0 } });
    for (const entry of older) expect(entry).not.toHaveProperty('data');
  });

  it('stays as it was if a step fails in the middle, and reads on', async () => {
    const address = await machineOfVersion1();
    const steps = [...MACHINE_SCHEMA, 'CREATE TABLE next (id INTEGER); INSERT INTO nowhere VALUES (1)'];
    await inStorage(address, (storage) => {
      expect(() => migrate(storage, steps)).toThrow('nowhere');
      expect(rowsOf(storage.sql, 'migration')).toEqual([{ version: 1 }]);
      const columns = storage.sql.exec("SELECT name FROM pragma_table_info('history')").toArray();
      expect(columns).not.toContainEqual({ name: 'data' });
    });
    expect(await statusOf(address)).toMatchObject({ states: ['b'], revision: 4 });
  });

  it('is brought to version 2 once, and keeps its rows', async () => {
    const address = await machineOfVersion1();
    const before = await machineRow(address);
    await upgrade(address);
    await upgrade(address);
    expect(await versionsOf(address)).toEqual([1, MACHINE_SCHEMA.length + 1]);
    expect(await machineRow(address)).toEqual({ ...before, paused_at: null });
    const added = await inStorage(address, ({ sql }) => ({
      outbox: sql.exec('SELECT body FROM outbox').toArray(),
      reasons: sql.exec('SELECT DISTINCT reason FROM history').toArray(),
    }));
    expect(added).toEqual({ outbox: [{ body: 'revision 4' }], reasons: [{ reason: 'none' }] });
  });
});

describe('the version before', () => {
  it('reads and writes what a step leaves, and leaves the number of the version as it is', async () => {
    const address = await newMachineInB();
    await upgrade(address);
    await evict(address);
    expect((await report(address, 'b')).headers.get('ETag')).toBe('"5"');
    expect((await report(address, 'b')).headers.get('ETag')).toBe('"6"');
    await evict(address);
    expect(await statusOf(address)).toMatchObject({ states: ['c'], revision: 6 });
    expect((await historyOf(address)).history).toHaveLength(6);
    expect(await versionsOf(address)).toEqual([MACHINE_SCHEMA.length, MACHINE_SCHEMA.length + 1]);
  });

  it.each([
    ['a machine', [...EVERY_TABLE, NEXT_STEP]],
    ['a tenant', [...TENANT_SCHEMA, 'ALTER TABLE machine ADD COLUMN owner INTEGER NOT NULL DEFAULT 0']],
  ])('finds all its columns after each step of %s, and needs to write no other', async (_, schema) => {
    for (let version = 1; version < schema.length; version++) {
      expect(await brokenBy(schema.slice(0, version), schema[version] ?? '')).toEqual([]);
    }
  });

  it.each(BREAKING_STEPS)('would be broken by a step that %s', async (_, step) => {
    expect(await brokenBy(EVERY_TABLE, step)).not.toEqual([]);
  });
});

/** A machine that two updates have led from `a` to `b`, which has one update of three. */
async function newMachineInB(): Promise<string> {
  const address = await newMachine();
  for (const state of ['a', 'a', 'b']) await report(address, state);
  await evict(address);
  return address;
}

/** The same, with the tables and the rows as version 1 has left them. */
async function machineOfVersion1(): Promise<string> {
  const address = await newMachineInB();
  await inStorage(address, ({ sql }) => {
    sql.exec(`
      ALTER TABLE history DROP COLUMN data;
      UPDATE migration SET version = 1;
    `);
  });
  await evict(address);
  return address;
}

async function newMachine(): Promise<string> {
  const address = await newChart(sequence(counting('a', 'b', 2), counting('b', 'c', 3), final('c')));
  await ask(address, 'a');
  return address;
}

/** Brings a machine's storage to the version that has `NEXT_STEP`. */
async function upgrade(address: string): Promise<void> {
  await inStorage(address, (storage) => migrate(storage, [...MACHINE_SCHEMA, NEXT_STEP]));
}

async function versionsOf(address: string): Promise<unknown[]> {
  const rows = await inStorage(address, ({ sql }) =>
    sql.exec('SELECT version FROM migration ORDER BY version').toArray(),
  );
  return rows.map(({ version }) => version);
}

async function machineRow(address: string): Promise<Record<string, SqlStorageValue>> {
  return inStorage(address, ({ sql }) => sql.exec('SELECT * FROM machine').one());
}

/** Returns the columns of a schema that a step takes away or changes, and those that it adds without a default. */
async function brokenBy(schema: readonly string[], step: string): Promise<string[]> {
  return inStorage(newAddress(), (storage) => {
    migrate(storage, schema);
    const before = columnsIn(storage.sql);
    migrate(storage, [...schema, step]);
    const after = columnsIn(storage.sql);
    const lost = [...before].filter(([name, column]) => after.get(name)?.declared !== column.declared);
    const demanded = [...after].filter(([name, column]) => {
      const [table] = name.split('.');
      const isKnown = [...before.keys()].some((known) => known.startsWith(`${table}.`));
      return isKnown && !before.has(name) && column.isDemanded;
    });
    return [...lost, ...demanded].map(([name]) => name);
  });
}

interface ColumnRow extends Record<string, SqlStorageValue> {
  /** The table and the column: `machine.revision`. */
  name: string;
  type: string;
  notnull: number;
  dflt_value: string | null;
  pk: number;
}

function columnsIn(sql: SqlStorage) {
  const rows = sql.exec<ColumnRow>(
    `SELECT tables.name || '.' || columns.name AS name, type, "notnull", dflt_value, pk
       FROM (SELECT name FROM sqlite_master WHERE type = 'table') AS tables,
            pragma_table_info(tables.name) AS columns`,
  );
  return new Map(
    [...rows].map(({ name, ...row }) => [
      name,
      { declared: JSON.stringify(row), isDemanded: row.notnull === 1 && row.dflt_value === null },
    ]),
  );
}
