/** The history is a ring of the newest 10,000 entries, and no other table grows. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Timer } from '../../src/chart/chart.ts';
import { HISTORY_ROWS } from '../../src/limits.ts';
import type { HistoryEntry } from '../../src/store/history-table.ts';
import { MachineStore } from '../../src/store/machine-store.ts';
import { counting, newAddress, newChart, sequence } from '../charts.ts';
import { ask, evict, historyOf, inStorage, report, rowsOf } from '../service.ts';

/** Longer than the ring, and no multiple of its size. */
const ENTRIES = 2 * HISTORY_ROWS + 345;
const OLDEST = ENTRIES - HISTORY_ROWS + 1;

let address = '';
beforeAll(async () => {
  address = await newChart(sequence(counting('a', 'b', 1_000_000), counting('b', 'a')));
  await ask(address, 'a');
  await fill(address, 1, ENTRIES);
});

describe('a full history', () => {
  it('has the newest 10,000 rows', async () => {
    const rows = await inStorage(address, ({ sql }) =>
      sql
        .exec('SELECT count(*) AS rows, min(revision) AS oldest, max(revision) AS newest FROM history')
        .one(),
    );
    expect(rows).toEqual({ rows: HISTORY_ROWS, oldest: OLDEST, newest: ENTRIES });
  });

  it('is read in pages, newest first, each entry once', async () => {
    const seen: number[] = [];
    let query = '?limit=999';
    for (let pages = 0; pages < 20 && query !== ''; pages++) {
      const { history, before } = await historyOf(address, query);
      seen.push(...history.map(({ revision }) => revision));
      query = before === undefined ? '' : `?limit=999&before=${before}`;
    }
    expect(seen).toEqual(Array.from({ length: HISTORY_ROWS }, (_, i) => ENTRIES - i));
  });

  it.each([
    ['the newest', ENTRIES + 1, 3, [ENTRIES, ENTRIES - 1, ENTRIES - 2]],
    [
      'entries on both sides of the start of the ring',
      2 * HISTORY_ROWS + 2,
      4,
      [1, 0, -1, -2].map((i) => 2 * HISTORY_ROWS + i),
    ],
    ['the oldest', OLDEST + 2, 10, [OLDEST + 1, OLDEST]],
    ['none before the oldest', OLDEST, 10, []],
    ['none before the first of all', 1, 10, []],
  ])('gives %s', async (_, before, limit, revisions) => {
    const { entries } = await inStorage(address, (storage) =>
      new MachineStore(storage).history.read(ENTRIES, before, limit),
    );
    expect(entries.map(({ revision }) => revision)).toEqual(revisions);
  });

  it('overwrites one entry with each new one', async () => {
    await evict(address);
    expect((await report(address, 'a')).headers.get('ETag')).toBe(`"${ENTRIES + 1}"`);
    const { history } = await historyOf(address, '?limit=2');
    expect(history.map(({ revision }) => revision)).toEqual([ENTRIES + 1, ENTRIES]);
    const rows = await inStorage(address, ({ sql }) =>
      sql.exec('SELECT count(*) AS rows, min(revision) AS oldest FROM history').one(),
    );
    expect(rows).toEqual({ rows: HISTORY_ROWS, oldest: OLDEST + 1 });
  });
});

describe('a history as long as the ring', () => {
  it.each([HISTORY_ROWS - 1, HISTORY_ROWS, HISTORY_ROWS + 1])(
    'is read completely: %i entries',
    async (length) => {
      const other = await newChart(sequence(counting('a', 'a', 5)));
      await ask(other, 'a');
      await fill(other, 1, length);
      const revisions = await inStorage(other, (storage) =>
        new MachineStore(storage).history
          .readAfter(length, 0, Number.POSITIVE_INFINITY)
          .map(({ revision }) => revision),
      );
      const kept = Math.min(length, HISTORY_ROWS);
      expect(revisions).toEqual(Array.from({ length: kept }, (_, i) => length - kept + 1 + i));
    },
  );
});

describe('a stored machine', () => {
  it('is the same at each read', async () => {
    const other = await newChart(sequence(counting('a', 'b', 3), counting('b', 'a')));
    await report(other, 'a');
    const [first, second] = await inStorage(other, (storage) => [
      new MachineStore(storage).load(),
      new MachineStore(storage).load(),
    ]);
    expect(first).toMatchObject({ revision: 2, entries: 2, chart: { origin: 'bundle' } });
    expect(second).toEqual(first);
  });

  it('does not grow with the number of visits', async () => {
    const other = await newChart(sequence(counting('a', 'b'), counting('b', 'a')));
    const sizes: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 10; i++) for (const state of ['a', 'b']) await report(other, state);
      sizes.push(
        await inStorage(other, ({ sql }) =>
          ['machine', 'chart', 'timer', 'visited'].map((table) => rowsOf(sql, table).length),
        ),
      );
    }
    expect(sizes).toEqual(Array(3).fill([1, 1, 0, 2]));
  });
});

describe('a machine that cannot be stored', () => {
  it('leaves no machine behind, and can be stored once it fits', async () => {
    const model = await newChart(sequence(counting('a', 'b', 3), counting('b', 'a')));
    await ask(model, 'a');
    const stored = await inStorage(model, (storage) => new MachineStore(storage).load());
    if (stored === undefined) throw new Error('there is no machine to copy');
    const { revision, startedAt, entries, changedAt, snapshot, chart } = stored;
    const changes = {
      revision,
      entries,
      at: changedAt,
      snapshot,
      ...UNCHANGED,
      restarted: { started: 1, startedAt, chart: { ...chart, text: 'x' } },
      history: [],
    };
    const timer = { id: 1, label: 'once', at: changedAt, event: 'once' };
    await inStorage(newAddress(), (storage) => {
      const store = new MachineStore(storage);
      const create = (timersSet: readonly Timer[]) =>
        storage.transactionSync(() => store.create({ ...changes, timersSet }));
      expect(() => create([timer, timer])).toThrow(/UNIQUE/);
      expect(store.version()?.entries).toBeUndefined();
      expect(store.load()).toBeUndefined();
      create([timer]);
      expect(store.load()).toEqual(stored);
    });
  });
});

/** The fields of `Changes` that a test does not set: nothing has changed. */
const UNCHANGED = {
  timersSet: [],
  timersCleared: [],
  left: [],
  claimsSet: [],
  freed: [],
  claimsCleared: [],
  receipts: [],
} as const;

/** Writes entries `from + 1` to `until` as turns of 5,000: what a machine would write in as many updates. */
async function fill(address: string, from: number, until: number): Promise<void> {
  await inStorage(address, (storage) => {
    const store = new MachineStore(storage);
    const machine = store.load();
    if (machine === undefined) throw new Error('there is no machine to fill');
    for (let done = from; done < until; ) {
      const turn = Math.min(done + 5_000, until);
      const history: HistoryEntry[] = [];
      while (done < turn) {
        const revision = ++done;
        history.push({
          id: revision,
          revision,
          at: revision,
          cause: 'update',
          event: 'update',
          state: null,
          by: null,
          sub: null,
          from: ['a'],
          to: ['a'],
          entered: [],
          notes: [],
        });
      }
      store.write({
        ...UNCHANGED,
        snapshot: machine.snapshot,
        revision: done,
        entries: done,
        at: done,
        history,
      });
    }
  });
}
