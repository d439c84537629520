/** What a page of a filtered history reads, and what it lets other requests do meanwhile. */
import { expect, it } from 'vitest';
import { HISTORY_ROWS } from '../../src/limits.ts';
import { MachineStore } from '../../src/store/machine-store.ts';
import { counting, newChart, sequence } from '../charts.ts';
import { ask, inStorage, objectAt } from '../service.ts';

const NEWEST = Number.MAX_SAFE_INTEGER;

/** Makes a machine with so many entries: a hundred callers have reported in turn. */
async function withEntries(entries: number): Promise<string> {
  const address = await newChart(sequence(counting('a', 'b', 1_000_000), counting('b', 'a')));
  await ask(address, 'a');
  await inStorage(address, (storage) => {
    const { history } = new MachineStore(storage);
    for (let id = 2; id <= entries; id++)
      history.record({
        id,
        revision: id,
        at: id,
        cause: 'update',
        event: 'update',
        state: 'a',
        by: `web-${id % 100}`,
        sub: null,
        from: ['a'],
        to: ['a'],
        entered: [],
        notes: [],
      });
    storage.sql.exec('UPDATE machine SET revision = ?, entries = ?', entries, entries);
  });
  // The object reads what is new to it.
  await ask(address, 'a');
  return address;
}

/** Watches the scans of a machine's history. */
async function scansOf(address: string) {
  const scans: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  await inStorage(address, ({ sql }) => {
    const exec = sql.exec.bind(sql);
    sql.exec = <Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]) => {
      const cursor = exec<Row>(query, ...bindings);
      if (query.includes('FROM history')) scans.push(cursor);
      return cursor;
    };
  });
  return () => inStorage(address, () => scans.splice(0).map(({ rowsRead }) => rowsRead));
}

it('a page of a filtered history is one scan, down to the first entry behind it', async () => {
  const address = await withEntries(1_000);
  const scans = await scansOf(address);
  const read = async (before: number, limit: number, by: string) => {
    const [page] = await objectAt(address).read([{ type: 'history', before, limit, filter: { by } }]);
    if (page === undefined || !page.ok || !('entries' in page)) throw new Error('this is no page');
    const { entries, hasMore } = page;
    const [rows = 0, ...more] = await scans();
    expect(more).toEqual([]);
    return { ids: entries.map(({ id }) => id), hasMore, rows };
  };
  // The newest entry is of web-0, and each hundredth before it.
  expect(await read(NEWEST, 2, 'web-0')).toEqual({ ids: [1_000, 900], hasMore: true, rows: 201 });
  expect(await read(900, 8, 'web-0')).toMatchObject({ hasMore: false, rows: 899 });
  expect(await read(900, 7, 'web-0')).toEqual({
    ids: [800, 700, 600, 500, 400, 300, 200],
    hasMore: true,
    rows: 800,
  });
  expect(await read(NEWEST, 1, 'nobody')).toEqual({ ids: [], hasMore: false, rows: 1_000 });
});

it('pages that a filter looks for in a long history let other requests run meanwhile', async () => {
  const address = await withEntries(HISTORY_ROWS);
  const order: string[] = [];
  const pages = Array.from({ length: 60 }, async () => {
    const query = { type: 'history', before: NEWEST, limit: 1, filter: { by: 'nobody' } } as const;
    const [page] = await objectAt(address).read([query]);
    order.push(`page: ${page?.ok}`);
  });
  const summary = objectAt(address)
    .read([{ type: 'summary' }])
    .then(([answer]) => order.push(`summary: ${answer?.ok}`));
  await Promise.all([...pages, summary]);
  expect(order.filter((answer) => answer !== 'page: true')).toEqual(['summary: true']);
  expect(order.at(-1)).toBe('page: true');
});
