/**
 * Storage that fails in the middle of a commit. The batch is refused whole, memory is given up for what storage holds,
 * and the next request is right. It fails for real: a trigger raises an error inside SQLite.
 */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newChart, sequence, timed } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import {
  ask,
  historyOf,
  inStorage,
  objectAt,
  problemOf,
  report,
  reportTimes,
  rowsOf,
  statusOf,
  tracesOf,
  updateAt,
} from '../service.ts';
import { claim, documentOf, holdersOf, put, storyOf, together, waitFor } from './callers.ts';
import { isListed } from './tenants.ts';

const HOUR = 60 * 60 * 1_000;

beginAtNoon();

const chart = sequence(counting('a', 'b', 10), counting('b', 'c', 10), final('c'));

/** The place of the failure in a commit: the first row, and the last one, after all others were written. */
const PLACES: readonly (readonly [string, string])[] = [
  ['at the first row of the history', 'INSERT ON history'],
  ['at the last row, the machine’s own', 'UPDATE ON machine'],
];

describe.each(PLACES)('a commit that fails %s', (_, place) => {
  it('refuses the whole batch, and counts none of it', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    const before = await everythingOf(address);
    await breakAt(address, place);
    const refused = await Promise.all(Array.from({ length: 8 }, () => report(address, 'a')));
    expect(refused.map(({ status }) => status)).toEqual(Array(8).fill(500));
    await mend(address);
    expect(await everythingOf(address)).toEqual(before);
  });

  it('refuses commands of the batch that were good as well', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    await breakAt(address, place);
    const answers = await together(address, (machine) =>
      ['a', 'b', 'a'].map((state) => updateAt(machine, { state, event: 'update' })),
    );
    expect(answers.map((outcome) => outcome.ok || outcome.code)).toEqual(Array(3).fill('internal-error'));
    await mend(address);
    expect(await statusOf(address)).toMatchObject({ revision: 3, quorums: [{ have: 2 }] });
  });

  it('is followed by a request that succeeds', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 8);
    await breakAt(address, place);
    await Promise.all(Array.from({ length: 5 }, () => report(address, 'a')));
    await mend(address);
    const next = await report(address, 'a');
    expect([next.status, next.headers.get('ETag')]).toEqual([200, '"10"']);
    const last = await report(address, 'a');
    expect([last.status, last.headers.get('ETag')]).toEqual([200, '"11"']);
    expect((await ask(address, 'b')).status).toBe(200);
    // No gap, and nothing twice.
    expect((await historyOf(address)).history.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 11 }, (_, i) => 11 - i),
    );
  });

  it('does not affect queries', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    await breakAt(address, place);
    expect((await report(address, 'a')).status).toBe(500);
    const answer = await ask(address, 'a');
    expect([answer.status, answer.headers.get('ETag')]).toEqual([200, '"3"']);
    expect(await statusOf(address)).toMatchObject({ revision: 3, quorums: [{ have: 2 }] });
  });

  it('leaves no receipt: a repeat is counted', async () => {
    const address = await newChart(chart);
    await ask(address, 'a');
    await breakAt(address, place);
    for (const said of [{ by: 'x' }, { key: 'k' }, { by: 'y', key: 'l' }])
      expect((await put(address, 'a', said)).status).toBe(500);
    await mend(address);
    for (const said of [{ by: 'x' }, { key: 'k' }, { by: 'y', key: 'l' }, { by: 'x' }, { key: 'k' }])
      expect((await put(address, 'a', said)).status).toBe(200);
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 3, by: ['x', 'y'] }] });
  });

  it('leaves no claim, and removes none', async () => {
    const address = await newChart(sequence({ ...counting('a', 'b', 9), slots: 2 }, final('b')));
    await claim(address, 'a', 'x');
    await breakAt(address, place);
    expect((await claim(address, 'a', 'y')).status).toBe(500);
    expect((await put(address, 'a', { by: 'x' })).status).toBe(500);
    expect(await holdersOf(address)).toEqual(['x']);
    await mend(address);
    expect((await put(address, 'a', { by: 'x' })).status).toBe(200);
    expect((await put(address, 'a', { by: 'y' })).status).toBe(406);
    expect(await holdersOf(address)).toEqual([]);
  });

  it('leaves no timer and no alarm of the state that was not entered, and keeps those of the state that was not left', async () => {
    const address = await newChart(
      JSON.stringify({
        initial: 'a',
        states: { a: { on: { update: 'b' }, after: { '1h': 'c' } }, b: { after: { '5m': 'c' } }, c: {} },
      }),
    );
    await ask(address, 'a');
    await breakAt(address, place);
    expect((await report(address, 'a')).status).toBe(500);
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR);
    await mend(address);
    expect((await documentOf(address)).timers).toMatchObject([{ at: '2040-06-01T13:00:00.000Z' }]);
    expect((await report(address, 'a')).status).toBe(200);
    expect((await tracesOf(address)).alarm).toBe(NOON + HOUR / 12);
  });

  it('ends no wait', async () => {
    const address = await newChart(sequence(counting('a', 'b'), final('b')));
    await ask(address, 'a');
    await breakAt(address, place);
    let answer: number | undefined;
    const waiting = waitFor(address, 'b', '30s').then(({ status }) => {
      answer = status;
    });
    await new Promise((done) => setTimeout(done, 50));
    expect((await report(address, 'a')).status).toBe(500);
    await new Promise((done) => setTimeout(done, 50));
    expect(answer).toBeUndefined();
    await mend(address);
    await report(address, 'a');
    await waiting;
    expect(answer).toBe(200);
  });
});

describe('a timer whose commit fails', () => {
  const clock = sequence(timed('wait', 'go', '2040-06-01T13:00:00'), final('go'));

  it('is fired once, by the first request that can commit it, at its own time', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await breakAt(address, 'INSERT ON history');
    vi.setSystemTime(NOON + HOUR);
    // An error rather than an old state.
    for (const state of ['wait', 'go']) expect((await ask(address, state)).status).toBe(500);
    await mend(address);
    vi.setSystemTime(NOON + 2 * HOUR);
    expect((await ask(address, 'go')).status).toBe(200);
    expect((await storyOf(address)).map(({ cause, at }) => [cause, at.slice(11, 16)])).toEqual([
      ['start', '12:00'],
      ['timer', '13:00'],
    ]);
  });

  it('is fired by the alarm, which is set again', async () => {
    const address = await newChart(clock);
    await ask(address, 'wait');
    await breakAt(address, 'INSERT ON history');
    vi.setSystemTime(NOON + HOUR);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect(await storedRevision(address)).toBe(1);
    await mend(address);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect(await storedRevision(address)).toBe(2);
    expect((await tracesOf(address)).alarm).toBeNull();
  });
});

describe('a transaction that fails as a whole', () => {
  it('before it was committed has changed nothing', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    await failOnce(address, 'before it is committed');
    expect((await put(address, 'a', { key: 'k' })).status).toBe(500);
    expect(await statusOf(address)).toMatchObject({ revision: 3, quorums: [{ have: 2 }] });
    expect((await put(address, 'a', { key: 'k' })).headers.get('ETag')).toBe('"4"');
  });

  it('after it was committed has been counted, and is not counted again', async () => {
    const address = await newChart(chart);
    await reportTimes(address, 'a', 2);
    await failOnce(address, 'after it was committed');
    expect((await put(address, 'a', { key: 'k' })).status).toBe(500);
    // Storage has the change, and memory does not.
    expect(await statusOf(address)).toMatchObject({ revision: 4, quorums: [{ have: 3 }] });
    expect((await put(address, 'a', { key: 'k' })).headers.get('ETag')).toBe('"4"');
    expect((await put(address, 'a', { key: 'l' })).headers.get('ETag')).toBe('"5"');
  });

  it('as the first one of a machine leaves nothing behind, and the machine starts later', async () => {
    const address = await newChart(chart);
    await failOnce(address, 'before it is committed');
    expect((await report(address, 'a')).status).toBe(500);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
    expect(await isListed(address)).toBe(false);
    expect((await report(address, 'a')).headers.get('ETag')).toBe('"2"');
    expect(await isListed(address)).toBe(true);
    expect(await statusOf(address)).toMatchObject({ revision: 2, quorums: [{ have: 1 }] });
  });

  it('is an internal error, without details', async () => {
    const address = await newChart(chart);
    await ask(address, 'a');
    await failOnce(address, 'before it is committed');
    const problem = await problemOf(await report(address, 'a'));
    expect(problem.type).toBe('urn:stateservice:problem:internal-error');
    expect(JSON.stringify(problem)).not.toContain('broken');
  });
});

/** Makes SQLite fail from now on at `place`. */
async function breakAt(address: string, place: string): Promise<void> {
  await inStorage(address, ({ sql }) => {
    sql.exec(`CREATE TRIGGER broken BEFORE ${place} BEGIN SELECT RAISE(ABORT, 'broken'); END`);
  });
}

async function mend(address: string): Promise<void> {
  await inStorage(address, ({ sql }) => {
    sql.exec('DROP TRIGGER broken');
  });
}

/** Makes the next transaction fail before or after its commit. */
async function failOnce(
  address: string,
  when: 'before it is committed' | 'after it was committed',
): Promise<void> {
  await inStorage(address, (storage) => {
    const transactionSync = storage.transactionSync.bind(storage);
    storage.transactionSync = (closure) => {
      storage.transactionSync = transactionSync;
      const fail = () => {
        throw new Error('broken');
      };
      if (when === 'after it was committed') {
        transactionSync(closure);
        return fail();
      }
      return transactionSync(() => {
        closure();
        return fail();
      });
    };
  });
}

/** All rows of a machine. */
async function everythingOf(address: string) {
  return inStorage(address, ({ sql }) =>
    ['machine', 'history', 'timer', 'visited', 'claim', 'receipt'].map((table) => [
      table,
      rowsOf(sql, table),
    ]),
  );
}

/** Reads storage directly, because a request would do the alarm's work. */
async function storedRevision(address: string): Promise<unknown> {
  return inStorage(address, ({ sql }) => sql.exec('SELECT revision FROM machine').one().revision);
}
