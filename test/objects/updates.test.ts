/** Concurrent updates: counted exactly, in one commit, each with an outcome of its own. */
import { describe, expect, it } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { ask, historyOf, inStorage, report, reportTimes, statusOf, updateAt } from '../service.ts';

const chart = sequence(counting('gather', 'go', 64), counting('go', 'end', 2), final('end'));

describe('many callers at once', () => {
  it('are all counted, and the last one of 64 moves the machine on', async () => {
    const address = await newChart(chart);
    const statuses = await reportTogether(address, 'gather', 64);
    expect(statuses).toEqual(Array(64).fill(200));
    expect(await statusOf(address)).toMatchObject({ states: ['go'], revision: 65, quorums: [{ have: 0 }] });
    const moves = (await historyOf(address)).history.filter(({ from, to }) => from[0] !== to[0]);
    expect(moves).toMatchObject([
      { revision: 65, from: ['gather'], to: ['go'] },
      { revision: 1, from: [], to: ['gather'] },
    ]);
  });

  it('are refused from the 65th on', async () => {
    const address = await newChart(chart);
    const statuses = await reportTogether(address, 'gather', 65);
    expect(statuses.filter((status) => status === 200)).toHaveLength(64);
    expect(statuses.filter((status) => status === 406)).toHaveLength(1);
    expect(await statusOf(address)).toMatchObject({ states: ['go'], revision: 65 });
  });

  it('get consecutive revisions', async () => {
    const address = await newChart(chart);
    const responses = await Promise.all(Array.from({ length: 64 }, () => report(address, 'gather')));
    const revisions = responses.map(({ headers }) => Number(headers.get('ETag')?.replaceAll('"', '')));
    expect(revisions.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i + 2));
    const { history } = await historyOf(address);
    expect(history.map(({ revision }) => revision)).toEqual(Array.from({ length: 65 }, (_, i) => 65 - i));
  });

  it('start one machine', async () => {
    const address = await newChart(chart);
    await Promise.all(
      [...Array(20).keys()].map((i) => (i % 2 ? report(address, 'gather') : ask(address, 'gather'))),
    );
    const { history } = await historyOf(address);
    expect(history.filter(({ cause }) => cause === 'start')).toHaveLength(1);
    expect(await statusOf(address)).toMatchObject({ revision: 11, quorums: [{ have: 10 }] });
  });

  it('are not held up by queries', async () => {
    const address = await newChart(chart);
    const mixed = await Promise.all(
      Array.from({ length: 60 }, (_, i) => (i % 2 ? report(address, 'gather') : ask(address, 'gather'))),
    );
    expect(mixed.map(({ status }) => status)).toEqual(Array(60).fill(200));
    expect((await statusOf(address)).quorums).toMatchObject([{ have: 30 }]);
  });
});

describe('one batch', () => {
  it('is one commit: 64 entries of history, and one row each of the machine and of the state it left', async () => {
    const address = await newChart(chart);
    await ask(address, 'gather');
    const { answers, written, commits } = await updateInOneBatch(address, Array(64).fill('gather'));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect({ written, commits }).toEqual({ written: 64 + 1 + 1, commits: 1 });
  });

  it('of one update writes at most three rows', async () => {
    const address = await newChart(sequence(counting('a', 'b', 2), final('b')));
    await ask(address, 'a');
    expect((await updateInOneBatch(address, ['a'])).written).toBe(2);
    expect((await updateInOneBatch(address, ['a'])).written).toBe(3);
  });

  it('in which nothing is accepted writes nothing', async () => {
    const address = await newChart(chart);
    await ask(address, 'gather');
    const { answers, written, commits } = await updateInOneBatch(address, ['go', 'end', 'nowhere', '']);
    expect(answers.map(({ ok }) => ok)).toEqual([false, false, false, false]);
    expect({ written, commits }).toEqual({ written: 0, commits: 0 });
  });

  it('is applied in order, each command to the machine after the one before', async () => {
    const address = await newChart(sequence(counting('a', 'b'), counting('b', 'c'), final('c')));
    await ask(address, 'a');
    const { answers } = await updateInOneBatch(address, ['b', 'a', 'a', 'b', 'c', 'b']);
    expect(answers.map(({ ok }) => ok)).toEqual([false, true, false, true, false, false]);
    expect((await statusOf(address)).states).toEqual(['c']);
  });

  it('has commands that fail alone', async () => {
    const address = await newChart(chart);
    await ask(address, 'gather');
    const names = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 1 ? 'go' : i % 3 === 2 ? `wrong ${i}` : 'gather',
    );
    const { answers, commits } = await updateInOneBatch(address, names);
    expect(answers.map(({ ok }) => ok)).toEqual(names.map((name) => name === 'gather'));
    expect(commits).toBe(1);
    expect(await statusOf(address)).toMatchObject({ revision: 21, quorums: [{ have: 20 }] });
  });

  it('has commands that fail alone over HTTP too', async () => {
    const address = await newChart(chart);
    const names = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 'end' : 'gather'));
    const responses = await Promise.all(names.map((name) => report(address, name)));
    expect(responses.map(({ status }) => status)).toEqual(
      names.map((name) => (name === 'gather' ? 200 : 406)),
    );
    expect((await historyOf(address)).history).toHaveLength(31);
  });

  it('takes commands that come while it waits; later ones are in the next batch', async () => {
    const address = await newChart(chart);
    for (let round = 1; round <= 4; round++) {
      await reportTogether(address, 'gather', 8);
      expect((await statusOf(address)).quorums).toMatchObject([{ have: 8 * round }]);
    }
  });
});

describe('a machine in a cycle', () => {
  it('counts each visit from the start, however the updates come', async () => {
    const address = await newChart(sequence(counting('round', 'round', 5)));
    const statuses = await reportTogether(address, 'round', 23);
    expect(statuses).toEqual(Array(23).fill(200));
    expect(await statusOf(address)).toMatchObject({ revision: 24, quorums: [{ have: 3, need: 5 }] });
    await reportTimes(address, 'round', 2);
    expect((await statusOf(address)).quorums).toMatchObject([{ have: 0 }]);
  });
});

/** @returns the statuses in the order in which the requests were sent. */
async function reportTogether(address: string, state: string, callers: number): Promise<number[]> {
  const responses = await Promise.all(Array.from({ length: callers }, () => report(address, state)));
  return responses.map(({ status }) => status);
}

/**
 * Calls the object with all updates in the same turn, so that nothing but its own batching can part them.
 *
 * @returns also how many rows SQLite has written meanwhile, and in how many transactions.
 */
async function updateInOneBatch(address: string, names: readonly string[]) {
  return inStorage(address, async (storage, machine) => {
    const transactionSync = storage.transactionSync.bind(storage);
    let commits = 0;
    storage.transactionSync = (closure) => {
      commits += 1;
      return transactionSync(closure);
    };
    const before = rowsWritten(storage);
    const answers = await Promise.all(names.map((state) => updateAt(machine, { state, event: 'update' })));
    storage.transactionSync = transactionSync;
    return { answers, written: rowsWritten(storage) - before, commits };
  });
}

function rowsWritten({ sql }: DurableObjectStorage): number {
  return sql.exec<{ rows: number }>('SELECT total_changes() AS rows').one().rows;
}
