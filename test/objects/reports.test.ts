/** `GET …/reports`: the callers that reported in the present visit of a state, or in its last one. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DATA_BYTES } from '../../src/chart-limits.ts';
import { REPORTS_PAGE, REPORTS_PAGE_LENGTH } from '../../src/limits.ts';
import { CALLER_LENGTH } from '../../src/request-limits.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, evict, inStorage, readAt, send, tracesOf, updateAt } from '../service.ts';
import {
  documentOf,
  put,
  refusedOf,
  reportsOf,
  reset,
  resource,
  revisionOf,
  upload,
  verdict,
} from './callers.ts';

// Far ahead of the platform's own clock, so that no alarm goes off by itself.
const NOON = Date.parse('2040-06-01T12:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(NOON);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Two states that lead to each other, each with the second report. */
const ring = `
initial: work
states:
  work: {on: {update: {target: rest, quorum: 2}, note: {actions: {assign: {noted: true}}}}}
  rest: {on: {update: work}}
  never: {on: {update: work}}
`;

const long = sequence(counting('work', 'done', 1_000_000), final('done'));

const names = ({ reports }: Awaited<ReturnType<typeof reportsOf>>) => reports.map(({ by }) => by);

describe('the reports of a state', () => {
  it('are those of its present visit, the oldest first, with their times and data', async () => {
    const address = await newChart(ring);
    await put(address, 'work', { by: 'web-2', event: 'note', data: { n: 1 } });
    vi.setSystemTime(NOON + 1_000);
    await put(address, 'work', { by: 'web-1' });
    await put(address, 'work', { event: 'note', data: 'of nobody' });
    await evict(address);
    expect(await reportsOf(address, 'work')).toEqual({
      machine: address,
      state: 'work',
      reports: [
        { by: 'web-2', event: 'note', at: '2040-06-01T12:00:00.000Z', data: { n: 1 } },
        { by: 'web-1', event: 'update', at: '2040-06-01T12:00:01.000Z' },
      ],
    });
  });

  it('are those of its last visit if it was left', async () => {
    const address = await newChart(ring);
    for (const by of ['web-1', 'web-2']) await put(address, 'work', { by, data: by });
    expect((await documentOf(address)).states).toEqual(['rest']);
    expect((await reportsOf(address, 'work')).reports).toMatchObject([{ data: 'web-1' }, { data: 'web-2' }]);
  });

  it('are none as soon as it is entered again, and then those of that visit', async () => {
    const address = await newChart(ring);
    for (const by of ['web-1', 'web-2']) await put(address, 'work', { by, data: 1 });
    await put(address, 'rest', { by: 'web-3' });
    expect((await reportsOf(address, 'work')).reports).toEqual([]);
    expect(names(await reportsOf(address, 'rest'))).toEqual(['web-3']);
    await put(address, 'work', { by: 'web-2', data: 2 });
    expect((await reportsOf(address, 'work')).reports).toMatchObject([{ by: 'web-2', data: 2 }]);
    await put(address, 'work', { by: 'web-4' });
    expect(names(await reportsOf(address, 'work'))).toEqual(['web-2', 'web-4']);
  });

  it('are none of a state that was never entered', async () => {
    const address = await newChart(ring);
    await put(address, 'work', { by: 'web-1' });
    expect((await reportsOf(address, 'never')).reports).toEqual([]);
  });

  it('are none of a run that has not begun, which leaves nothing behind', async () => {
    const address = `${await newChart(ring)}@1`;
    expect(await reportsOf(address, 'work')).toEqual({ machine: address, state: 'work', reports: [] });
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('are not those of another state whose number begins alike, nor of the states around it', async () => {
    const states = Array.from({ length: 12 }, (_, i) => `s${i}: {on: {update: {actions: {assign: {x: 1}}}}}`);
    const address = await newChart(`type: parallel\nid: all\nstates: {${states.join(', ')}}`);
    await put(address, 's0', { by: 'of-1' });
    await put(address, 's9', { by: 'of-10' });
    await put(address, 'all', { by: 'of-0' });
    expect(names(await reportsOf(address, 's0'))).toEqual(['of-1']);
    expect(names(await reportsOf(address, 's9'))).toEqual(['of-10']);
    expect(names(await reportsOf(address, 'all'))).toEqual(['of-0']);
  });

  it('go with a reset, and stay with a corrected sequence', async () => {
    const address = newAddress();
    await upload(address, long);
    await put(address, 'work', { by: 'web-1', data: { n: 1 } });
    const text = await (await send('GET', resource(address, 'chart'))).text();
    await upload(address, text.replace('1000000', '2000000'), '?reset=true');
    expect((await reportsOf(address, 'work')).reports).toEqual([
      { by: 'web-1', event: 'update', at: '2040-06-01T12:00:00.000Z', data: { n: 1 } },
    ]);
    await reset(address);
    expect((await reportsOf(address, 'work')).reports).toEqual([]);
  });

  it('from before times and data were kept have neither', async () => {
    const address = await newChart(long);
    await put(address, 'work', { by: 'web-1' });
    await inStorage(address, ({ sql }) => sql.exec("UPDATE receipt SET answer = ''"));
    expect((await reportsOf(address, 'work')).reports).toEqual([{ by: 'web-1', event: 'update', at: null }]);
    expect((await put(address, 'work', { by: 'web-1' })).headers.get('ETag')).toBe('"2"');
  });
});

describe('an answer', () => {
  it('has the revision and the state’s own name', async () => {
    const address = await newChart(
      'initial: a\nstates: {a: {initial: b, states: {b: {on: {update: {actions: {assign: {x: 1}}}}}}}}',
    );
    await put(address, 'b', { by: 'web-1' });
    const response = await send('GET', resource(address, 'reports', { state: 'b' }));
    expect(revisionOf(response)).toBe(2);
    expect(await response.json()).toMatchObject({ state: 'a.b', reports: [{ by: 'web-1' }] });
  });

  it.each([
    [{ state: 'nothing' }, '406 not-current'],
    [{}, '400 wrong-parameter'],
    [{ state: 'work', limit: '0' }, '400 wrong-parameter'],
    [{ state: 'work', limit: '1001' }, '400 wrong-parameter'],
    [{ state: 'work', after: '-1' }, '400 wrong-parameter'],
    [{ state: 'work', before: '1' }, '400 wrong-parameter'],
  ])('refuses %j', async (query, said) => {
    const address = await newChart(long);
    expect(await verdict(await send('GET', resource(address, 'reports', query)))).toBe(said);
  });

  it('refuses a name that several states have, and no method but GET', async () => {
    const region = '{initial: b, states: {b: {}}}';
    const address = await newChart(`type: parallel\nstates: {one: ${region}, two: ${region}}`);
    const response = await send('GET', resource(address, 'reports', { state: 'b' }));
    expect([response.status, (await refusedOf(response)).detail]).toEqual([
      400,
      expect.stringContaining('one.b'),
    ]);
    expect((await send('PUT', resource(address, 'reports', { state: 'one' }))).status).toBe(405);
  });

  it('begins a chart’s own machine, as every question does', async () => {
    const address = await newChart(long);
    await reportsOf(address, 'work');
    expect((await ask(address, 'work')).headers.get('ETag')).toBe('"1"');
  });
});

describe('pages', () => {
  it('have all reports once, in order', async () => {
    const address = await newChart(long);
    const callers = Array.from({ length: 7 }, (_, i) => `web-${i}`);
    for (const by of callers) await put(address, 'work', { by });
    const seen: string[] = [];
    let after = '0';
    for (let pages = 1; ; pages++) {
      const page = await reportsOf(address, 'work', { limit: '3', after });
      seen.push(...names(page));
      if (page.after === undefined) {
        expect(pages).toBe(3);
        break;
      }
      after = String(page.after);
      // What comes meanwhile comes later.
      if (pages === 1) await put(address, 'work', { by: 'late' });
    }
    expect(seen).toEqual([...callers, 'late']);
  });

  it('have a hundred reports where nothing is said, and end where the next would be empty', async () => {
    const address = await newChart(long);
    await reportAll(address, REPORTS_PAGE);
    const all = await reportsOf(address, 'work');
    expect(all.reports).toHaveLength(REPORTS_PAGE);
    expect(all.after).toBeUndefined();
    await put(address, 'work', { by: 'one-more' });
    const { after } = await reportsOf(address, 'work');
    expect(names(await reportsOf(address, 'work', { after: String(after) }))).toEqual(['one-more']);
  });

  it('are bounded in length as well', async () => {
    const address = await newChart(long);
    const most = Math.floor(REPORTS_PAGE_LENGTH / DATA_BYTES);
    const data = JSON.stringify('x'.repeat(DATA_BYTES - 2));
    await reportAll(address, most + 10, { data, name: (i) => `${i}`.padEnd(CALLER_LENGTH, 'x') });
    const response = await send('GET', resource(address, 'reports', { state: 'work', limit: '1000' }));
    const text = await response.text();
    expect(text.length).toBeLessThan(REPORTS_PAGE_LENGTH * 1.2);
    const page: Awaited<ReturnType<typeof reportsOf>> = JSON.parse(text);
    expect(page.reports.length).toBeLessThan(most);
    const rest = await reportsOf(address, 'work', { limit: '1000', after: String(page.after) });
    expect(page.reports.length + rest.reports.length).toBe(most + 10);
  });

  it('are answered by the object itself, which is told what it does not know of a newer one', async () => {
    const address = await newChart(long);
    await put(address, 'work', { by: 'web-1', data: 1 });
    const answer = await inStorage(address, (_, machine) =>
      readAt(machine, { type: 'reports', state: 'work', limit: 5 }),
    );
    expect(answer).toMatchObject({ ok: true, reports: [{ by: 'web-1', data: '1' }], hasMore: false });
  });
});

/** Reports to `work` as many callers in one batch. */
async function reportAll(
  address: string,
  callers: number,
  { data, name = (i) => `web-${i}` }: { data?: string; name?: (i: number) => string } = {},
): Promise<void> {
  await documentOf(address);
  await inStorage(address, (_, machine) =>
    Promise.all(
      Array.from({ length: callers }, (_, i) =>
        updateAt(machine, {
          state: 'work',
          event: 'update',
          by: name(i),
          ...(data === undefined ? {} : { data }),
        }),
      ),
    ),
  );
}
