/** A restore leaves ids out of the history: those of entries that it has undone. */
import { describe, expect, it } from 'vitest';
import { HISTORY_CHECK, HISTORY_LENGTH, HISTORY_ROWS } from '../../src/limits.ts';
import { type HistoryEntry, HistoryTable } from '../../src/store/history-table.ts';
import { MachineStore } from '../../src/store/machine-store.ts';
import { counting, newChart, sequence } from '../charts.ts';
import { ask, inStorage } from '../service.ts';

describe('a history with ids left out', () => {
  it('shows no entry of the round before in their place', async () => {
    const last = HISTORY_ROWS + 30;
    const next = last + 21;
    const ids = await inHistory(({ history }) => {
      for (let id = 2; id <= last; id++) history.record(entry(id));
      history.skip(last, next);
      history.record(entry(next));
      return {
        newest: history.read(next, Number.MAX_SAFE_INTEGER, 3).entries.map(({ id }) => id),
        before: history.read(next, last + 5, 2).entries.map(({ id }) => id),
        after: history.readAfter(next, last - 1, 1_000).map(({ id }) => id),
        kept: history.readAfter(next, 0, Number.POSITIVE_INFINITY).length,
      };
    });
    expect(ids).toEqual({
      newest: [next, last, last - 1],
      before: [last, last - 1],
      after: [last, next],
      kept: HISTORY_ROWS - 20,
    });
  });

  it('may leave out more than the ring has', async () => {
    const next = 3 * HISTORY_ROWS + 7;
    const ids = await inHistory(({ history }) => {
      for (let id = 2; id <= 100; id++) history.record(entry(id));
      history.skip(100, next);
      for (let id = next; id < next + 3; id++) history.record(entry(id));
      return history.read(next + 2, Number.MAX_SAFE_INTEGER, 10).entries.map(({ id }) => id);
    });
    expect(ids).toEqual([next + 2, next + 1, next]);
  });

  it('keeps as much of what is before them as of any history', async () => {
    const length = 64 * 1024;
    const count = Math.ceil(HISTORY_LENGTH / length);
    const [last, next] = [count, 5 * count];
    const kept = await inHistory(({ history, sql }) => {
      for (let id = 2; id <= last; id++) history.record(entry(id, 'x'.repeat(length)));
      history.skip(last, next);
      history.record(entry(next));
      // Another object continues: it remembers nothing.
      const other = new HistoryTable(sql);
      for (let id = next + 1; id < next + count / 2; id++) other.record(entry(id, 'x'.repeat(length)));
      return sql.exec<{ kept: number }>('SELECT sum(length(notes)) AS kept FROM history').one().kept;
    });
    expect(kept).toBeGreaterThan(HISTORY_LENGTH - HISTORY_CHECK);
    expect(kept).toBeLessThan(HISTORY_LENGTH + 2 * HISTORY_CHECK);
  });
});

/** Looks into the history of a machine that has begun: it has one entry. */
async function inHistory<T>(look: (store: { history: HistoryTable; sql: SqlStorage }) => T): Promise<T> {
  const address = await newChart(sequence(counting('a', 'a', 5)));
  await ask(address, 'a');
  return inStorage(address, (storage) =>
    look({ history: new MachineStore(storage).history, sql: storage.sql }),
  );
}

function entry(id: number, note = ''): HistoryEntry {
  const nothing = { event: null, state: null, by: null, sub: null, from: [], to: [], entered: [] };
  return { id, revision: id, at: id, cause: 'update', ...nothing, notes: [note] };
}
