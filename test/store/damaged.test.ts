/** Rows that do not fit: storage is read like any other input, and an error names the table and the row. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MachineStore } from '../../src/store/machine-store.ts';
import { RegistryTable } from '../../src/store/registry-table.ts';
import { OPTIONAL_TABLES } from '../../src/store/schema.ts';
import { newChart } from '../charts.ts';
import { claim, put } from '../objects/callers.ts';
import { inTenant, newTenant } from '../objects/tenants.ts';
import { ask, evict, historyOf, inStorage, machinePath, problemOf, send } from '../service.ts';

/** A chart that leaves a row in each table. */
const CHART = `
  initial: a
  states:
    a: { on: { update: b } }
    b: { slots: 2, after: { 1h: a }, on: { update: { target: a, quorum: 9 } } }
`;

let address = '';
beforeEach(async () => {
  address = await newChart(CHART);
  await put(address, 'a', { by: 'web-1' });
  await claim(address, 'b', 'web-2');
});

describe('a stored row that does not fit', () => {
  it('is none in a machine that the service has written', async () => {
    await inStorage(address, (storage) => {
      const store = new MachineStore(storage);
      expect(store.load()).toMatchObject({ revision: 3, chart: { origin: 'bundle' } });
      expect(store.run.timers()).toHaveLength(1);
      expect(store.run.claims()).toMatchObject([{ by: 'web-2' }]);
      expect(store.run.endedVisits()).toHaveLength(1);
      expect(store.receipts.reports()).toMatchObject([{ event: 'update', by: 'web-1' }]);
      expect(store.history.read(3, 4, 10).entries).toHaveLength(3);
    });
  });

  it.each<[damage: string, read: (store: MachineStore) => unknown, message: string]>([
    ["UPDATE machine SET revision = 'many'", load, 'machine is damaged: revision is not a number'],
    [
      "UPDATE machine SET entries = 'many'",
      (store) => store.version()?.entries,
      'machine is damaged: entries is not',
    ],
    ["UPDATE machine SET snapshot = '{secret'", load, 'machine is damaged: snapshot is not the JSON'],
    ["UPDATE machine SET snapshot = 'null'", load, 'machine is damaged: snapshot is not the JSON'],
    [
      `UPDATE machine SET snapshot = json_set(snapshot, '$.active[0][2]', 'noon')`,
      load,
      'machine is damaged: snapshot is not the JSON',
    ],
    [
      `UPDATE machine SET snapshot = json_remove(snapshot, '$.context.counts')`,
      load,
      'machine is damaged: snapshot is not the JSON',
    ],
    [
      "UPDATE machine SET counts = ''",
      (store) => store.counts(),
      'machine is damaged: counts is not the JSON',
    ],
    [
      "UPDATE machine SET counts = '{}'",
      (store) => store.counts(),
      'machine is damaged: counts is not the JSON',
    ],
    ['DELETE FROM chart', load, 'chart is damaged: hash is not a text'],
    [
      "UPDATE chart SET origin = 'floppy'",
      load,
      'chart is damaged: origin is not one of upload, binding, bundle',
    ],
    ["UPDATE chart SET definition = '[]'", load, 'chart is damaged: definition is not the JSON'],
    [
      `UPDATE chart SET definition = json_set(definition, '$.dialect', 'petri net')`,
      load,
      'chart is damaged: definition is not the JSON',
    ],
    [
      `UPDATE chart SET definition = json_remove(definition, '$.model.states')`,
      load,
      'chart is damaged: definition is not the JSON',
    ],
    [
      "UPDATE timer SET at = 'noon'",
      (store) => store.run.timers(),
      'timer[id=1] is damaged: at is not a number',
    ],
    [
      "UPDATE visited SET visit = 'last'",
      (store) => store.run.endedVisits(),
      'visited[state=1] is damaged: visit',
    ],
    [
      "UPDATE visited SET visit = 'last'",
      (store) => store.run.lastVisit(1),
      'visited[state=1] is damaged: visit',
    ],
    [
      "UPDATE claim SET until = 'dusk'",
      (store) => store.run.claims(),
      'claim[state=2 caller=web-2] is damaged: until is not a number',
    ],
    ["UPDATE receipt SET began = 'once'", reports, 'receipt[key=by/1/["update","web-1"]] is damaged: began'],
    ["UPDATE receipt SET key = 'by/1/web'", reports, 'receipt[key=by/1/web] is damaged: key is not the key'],
    [`UPDATE receipt SET key = 'by/1/["update"]'`, reports, 'receipt[key=by/1/["update"]] is damaged: key'],
    [
      "UPDATE receipt SET visit = 'first'",
      (store) => store.receipts.find('by/1/["update","web-1"]'),
      'receipt[key=by/1/["update","web-1"]] is damaged: visit is not a number',
    ],
    [
      "UPDATE history SET cause = 'mischief' WHERE slot = 2",
      history,
      'history[slot=2] is damaged: cause is not one of',
    ],
    [
      "UPDATE history SET before = '[1]' WHERE slot = 2",
      history,
      'history[slot=2] is damaged: before is not the JSON',
    ],
    [
      "INSERT INTO members (id, revision, list) VALUES (1, 1, '[[1, {}]]')",
      (store) => store.members.read(),
      'members is damaged: list is not the JSON',
    ],
    [
      "UPDATE history SET after = '[' WHERE slot = 2",
      history,
      'history[slot=2] is damaged: after is not the JSON',
    ],
    [
      "UPDATE history SET notes = '{}' WHERE slot = 1",
      history,
      'history[slot=1] is damaged: notes is not the JSON',
    ],
    [
      "UPDATE history SET event = x'00' WHERE slot = 2",
      history,
      'history[slot=2] is damaged: event is not a text',
    ],
  ])('is an error that names it: %s', async (damage, read, message) => {
    await inStorage(address, (storage) => {
      const kept = new Error('rolled back');
      // Rolled back, because the object does not know of the change.
      const act = () =>
        storage.transactionSync(() => {
          storage.sql.exec(OPTIONAL_TABLES.members);
          storage.sql.exec(damage);
          expect(() => read(new MachineStore(storage))).toThrow(`the stored row ${message}`);
          throw kept;
        });
      expect(act).toThrow(kept);
    });
  });

  it('is 500 for the request that reads it, which the log explains and the response does not', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    await inStorage(address, ({ sql }) =>
      sql.exec("UPDATE history SET cause = 'mischief' WHERE slot = 1").toArray(),
    );
    const response = await send('GET', `${machinePath(address)}/history`);
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toMatch(/mischief|slot|damaged/);
    expect(log.mock.calls.flat().map(String).join(' ')).toContain('history[slot=1] is damaged: cause');
    log.mockRestore();
    // Other requests do not read the row.
    await evict(address);
    expect((await ask(address, 'b')).status).toBe(200);
    expect((await historyOf(address, '?limit=1')).history).toMatchObject([{ revision: 3, cause: 'claim' }]);
  });

  it('is 500 for a repeat whose first answer it holds', async () => {
    expect((await put(address, 'b', { by: 'web-2', key: 'k1' })).status).toBe(200);
    const damaged = ['{secret', 'null', '{"ok":true}', '{"ok":false,"code":"mischief","detail":""}'];
    for (const answer of damaged) {
      const log = vi.spyOn(console, 'error').mockImplementation(() => {});
      await inStorage(address, ({ sql }) =>
        sql.exec("UPDATE receipt SET answer = ? WHERE key = 'key/k1'", answer).toArray(),
      );
      const response = await put(address, 'b', { by: 'web-2', key: 'k1' });
      expect(response.status).toBe(500);
      expect(JSON.stringify(await problemOf(response))).not.toMatch(/mischief|secret|damaged/);
      expect(log.mock.calls.flat().map(String).join(' ')).toContain(
        'receipt[key=key/k1] is damaged: answer is not the JSON',
      );
      log.mockRestore();
    }
  });

  it('is an error in a tenant’s registry too', async () => {
    await inTenant(newTenant(), (sql, storage) => {
      const registry = new RegistryTable(storage);
      registry.enter({ chart: 'release', run: '7' }, 100);
      sql.exec("UPDATE machine SET bytes = 'some'");
      expect(() => registry.bytesOf({ chart: 'release', run: '7' })).toThrow(
        'the stored row machine[chart=release run=7] is damaged: bytes is not a number',
      );
      sql.exec("UPDATE total SET machines = 'some'");
      expect(() => registry.total()).toThrow('the stored row total is damaged: machines is not a number');
    });
  });
});

function load(store: MachineStore): unknown {
  return store.load();
}

function history(store: MachineStore): unknown {
  return store.history.read(3, 4, 10);
}

function reports(store: MachineStore): unknown {
  return store.receipts.reports();
}
