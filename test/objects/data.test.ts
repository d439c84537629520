/** The data of reports: the bodies that are accepted, their readers, and repeats. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DATA_BYTES, DATA_DEPTH } from '../../src/chart-limits.ts';
import { HISTORY_LENGTH, HISTORY_PAGE_LENGTH } from '../../src/limits.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { FUZZ } from '../fuzz.ts';
import { atSecond, evict, historyOf, inStorage, objectAt, send, updateAt } from '../service.ts';
import { documentOf, put, refusedOf, reportsOf, resource, storyOf, verdict } from './callers.ts';

const work = `
initial: work
context: {errors: 0, last: null}
states:
  work:
    on:
      update: {target: done, quorum: 3}
      fail:
        - {target: rollback, guard: event.data.errors > 5}
        - {actions: {assign: {errors: context.errors + event.data.errors, last: event.data}}}
  rollback: {on: {update: work}}
  done: {}
`;

const plain = sequence(counting('work', 'done', 1_000_000), final('done'));

/** Sends a report with a body as it is. */
async function body(address: string, text: BodyInit, headers: Record<string, string> = {}) {
  return send('PUT', resource(address, 'state', { state: 'work', by: 'web-1' }), { body: text, headers });
}

describe('a report with data', () => {
  it('is decided by its data, and its history has them', async () => {
    const address = await newChart(work);
    expect((await put(address, 'work', { event: 'fail', data: { errors: 2 } })).status).toBe(200);
    expect((await documentOf(address)).context).toEqual({ errors: 2, last: { errors: 2 } });
    await evict(address);
    expect((await put(address, 'work', { event: 'fail', data: { errors: 6 } })).status).toBe(200);
    expect((await documentOf(address)).states).toEqual(['rollback']);
    expect(await storyOf(address)).toMatchObject([
      { cause: 'start' },
      { event: 'fail', data: { errors: 2 } },
      { event: 'fail', data: { errors: 6 }, to: ['rollback'] },
    ]);
  });

  it('is counted like one without, also in a sequence', async () => {
    const address = await newChart(plain);
    await put(address, 'work', { by: 'web-1', data: ['a', null, 1.5] });
    await put(address, 'work', { data: 'text' });
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 2, by: ['web-1'] }]);
    expect(await storyOf(address)).toMatchObject([{}, { data: ['a', null, 1.5] }, { data: 'text' }]);
  });

  it('is refused without them where a guard needs them, and the history says why', async () => {
    const address = await newChart(work);
    const response = await put(address, 'work', { event: 'fail' });
    expect(await verdict(response)).toBe('406 expression-failed');
    const [, refused] = await storyOf(address);
    expect(refused).toMatchObject({ cause: 'refused', event: 'fail' });
    expect(refused?.notes).toContainEqual('guard event.data.errors > 5: No such key: data');
    expect(refused).not.toHaveProperty('data');
  });

  it('that is refused for its data has them in the history', async () => {
    const address = await newChart(work);
    expect((await put(address, 'work', { event: 'fail', data: { errors: 'x' } })).status).toBe(406);
    const [, refused] = await storyOf(address);
    expect(refused).toMatchObject({ cause: 'refused', data: { errors: 'x' } });
  });

  it('has what JSON has: null, which is no missing data, and any key', async () => {
    const address = await newChart(plain);
    const odd = '{"__proto__":1,"constructor":{"name":"x"},"":[],"a\\u0000b":"\\ud800","n":-0.5e-7}';
    const texts = ['null', 'false', '0', '""', odd];
    for (const text of texts) {
      const response = await send('PUT', resource(address, 'state', { state: 'work' }), { body: text });
      expect(response.status).toBe(200);
    }
    const [, ...kept] = await storyOf(address);
    expect(kept.map(({ data }) => JSON.stringify(data))).toEqual(
      texts.map((text) => JSON.stringify(JSON.parse(text))),
    );
  });
});

it('any JSON comes back as it was sent, and any text that is none is refused', async () => {
  const address = await newChart(plain);
  const sends = async (body: string, by: string) =>
    send('PUT', resource(address, 'state', { state: 'work', by }), { body });
  let callers = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 }).map((value) => JSON.stringify(value)),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
      ),
      async (text) => {
        const by = `web-${callers++}`;
        const response = await sends(text, by);
        const json = isJson(text);
        const isSmall = new TextEncoder().encode(text).length <= DATA_BYTES;
        const right = isSmall
          ? json || text.trim() === ''
            ? '200'
            : '400 wrong-parameter'
          : '413 too-large';
        expect(await verdict(response)).toBe(right);
        if (right !== '200' || !json) return;
        const [newest] = (await historyOf(address, '?limit=1')).history;
        expect(JSON.stringify(newest?.data)).toBe(JSON.stringify(JSON.parse(text)));
      },
    ),
    { numRuns: 60, seed: FUZZ.seed },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('a body is', () => {
  it.each([
    ['nothing', ''],
    ['white space', ' \r\n\t'],
  ])('no data if it is %s', async (_, text) => {
    const address = await newChart(plain);
    expect((await body(address, text)).status).toBe(200);
    expect((await storyOf(address)).at(-1)).not.toHaveProperty('data');
    expect((await reportsOf(address, 'work')).reports[0]).not.toHaveProperty('data');
  });

  it.each([
    'application/x-www-form-urlencoded',
    'application/json',
    'text/plain;charset=latin1',
    'multipart/form-data; boundary=x',
    'nonsense',
  ])('JSON whatever its type: %s', async (type) => {
    const address = await newChart(plain);
    expect((await body(address, ' {"n" : 1}\n', { 'Content-Type': type })).status).toBe(200);
    expect((await storyOf(address)).at(-1)?.data).toEqual({ n: 1 });
  });

  it.each([
    ['a form', 'a=b'],
    ['a cut object', '{"errors": 1'],
    ['two values', '1 2'],
    ['a literal of JavaScript', '{errors: 1}'],
    ['no number of JSON', 'NaN'],
    ['an open list that is long', '['.repeat(DATA_BYTES)],
  ])('refused if it is %s, with what would be right, and nothing counts', async (_, text) => {
    const address = await newChart(plain);
    await documentOf(address);
    const response = await body(address, text);
    expect(response.status).toBe(400);
    expect((await refusedOf(response)).detail).toMatch(
      /^The body is not JSON \(.+\)\. .* such as \{"errors": 0\}/,
    );
    expect((await documentOf(address)).revision).toBe(1);
  });

  it('refused if it is not UTF-8', async () => {
    const address = await newChart(plain);
    const response = await body(address, Uint8Array.of(0x22, 0xff, 0x22));
    expect([response.status, (await refusedOf(response)).detail]).toEqual([400, 'The body is not UTF-8.']);
  });

  it('refused if a number of it is beyond all numbers', async () => {
    const address = await newChart(plain);
    const response = await body(address, '{"list": [1, 1e400]}');
    expect([response.status, (await refusedOf(response)).detail]).toEqual([
      400,
      'The body has a number that is too large.',
    ]);
  });

  it('as large as it may be, and no larger', async () => {
    const address = await newChart(plain);
    const text = (bytes: number) => `"${'é'.repeat((bytes - 2) / 2)}"`;
    expect((await body(address, text(DATA_BYTES))).status).toBe(200);
    expect(await verdict(await body(address, text(DATA_BYTES + 2)))).toBe('413 too-large');
    // White space counts as it is sent; numbers that are written out, as they are kept.
    expect(await verdict(await body(address, ' '.repeat(DATA_BYTES + 1)))).toBe('413 too-large');
    const numbers = `[${Array.from({ length: 700 }, () => '1e20').join()}]`;
    expect(numbers.length).toBeLessThan(DATA_BYTES);
    expect(await verdict(await body(address, numbers))).toBe('413 too-large');
    expect((await storyOf(address)).at(-1)?.data).toBe('é'.repeat((DATA_BYTES - 2) / 2));
  });

  it('as deep as it may be, and no deeper', async () => {
    const address = await newChart(plain);
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect((await body(address, nested(DATA_DEPTH))).status).toBe(200);
    const response = await body(address, nested(DATA_DEPTH + 1));
    expect([response.status, (await refusedOf(response)).detail]).toEqual([
      400,
      `The body is nested more than ${DATA_DEPTH} deep.`,
    ]);
  });

  it('not required before the state: the original’s answers come first', async () => {
    const address = await newChart(plain);
    const response = await send('PUT', resource(address, 'state'), { body: 'a=b' });
    expect(await verdict(response)).toBe('500 no-state-to-update');
  });
});

describe('a repeat', () => {
  it('of a caller counts once, and the first data are kept', async () => {
    const address = await newChart(plain);
    await put(address, 'work', { by: 'web-1', data: 1 });
    const again = await put(address, 'work', { by: 'web-1', data: 2 });
    expect([again.status, again.headers.get('ETag')]).toEqual([200, '"2"']);
    expect((await reportsOf(address, 'work')).reports).toMatchObject([{ by: 'web-1', data: 1 }]);
    expect(await storyOf(address)).toHaveLength(2);
  });

  it('under a key is the same request with the same data, whatever their layout', async () => {
    const address = await newChart(plain);
    const keyed = (text: string) =>
      send('PUT', resource(address, 'state', { state: 'work' }), {
        body: text,
        headers: { 'Idempotency-Key': 'k1' },
      });
    expect((await keyed('{"n": 1}')).headers.get('ETag')).toBe('"2"');
    expect((await keyed('{ "n":1 }\n')).headers.get('ETag')).toBe('"2"');
    expect(await verdict(await keyed('{"n": 2}'))).toBe('422 key-reused');
    expect(await verdict(await keyed(''))).toBe('422 key-reused');
    expect((await documentOf(address)).revision).toBe(2);
  });

  it('under a key without data is the same as in the version before data', async () => {
    const address = await newChart(plain);
    await put(address, 'work', { by: 'web-1', key: 'k1' });
    const [{ request } = { request: '' }] = await inStorage(address, ({ sql }) =>
      sql.exec<{ request: string }>("SELECT request FROM receipt WHERE key = 'key/k1'").toArray(),
    );
    const before = createHash('sha256').update('["work","update","web-1",null]');
    expect(request).toBe(before.digest('base64url'));
  });

  it('with data is valid at its revision only, as without', async () => {
    const address = await newChart(plain);
    await documentOf(address);
    expect((await put(address, 'work', { match: '"1"', data: 1 })).status).toBe(200);
    expect(await verdict(await put(address, 'work', { match: '"1"', data: 1 }))).toBe('412 wrong-revision');
  });
});

describe('the history of reports with data', () => {
  it('is bounded in length, as one with long names is', async () => {
    const address = await newChart(plain);
    await documentOf(address);
    const data = JSON.stringify('x'.repeat(DATA_BYTES - 2));
    const fitting = HISTORY_PAGE_LENGTH / DATA_BYTES;
    const batch = (reports: number) =>
      inStorage(address, (_, machine) =>
        Promise.all(
          Array.from({ length: reports }, () => updateAt(machine, { state: 'work', event: 'update', data })),
        ),
      );
    await batch(fitting);
    const { history, before } = await historyOf(address, '?limit=1000');
    expect(history.length).toBeLessThan(fitting);
    expect(history.length).toBeGreaterThan(fitting * 0.9);
    expect(before).toBe(fitting + 2 - history.length);
    const most = HISTORY_LENGTH / DATA_BYTES;
    for (let i = 0; i < 10; i++) await batch(fitting);
    const kept = await inStorage(address, ({ sql }) =>
      sql.exec<{ length: number }>('SELECT sum(length(data)) AS length FROM history').one(),
    );
    expect(kept.length).toBeLessThan((most + 2 * fitting) * DATA_BYTES);
    expect(kept.length).toBeGreaterThan((most - 2 * fitting) * DATA_BYTES);
  });
});

describe('data are the same', () => {
  it('for all reports of one batch, each its own', async () => {
    const address = await newChart(plain);
    await documentOf(address);
    await inStorage(address, (_, machine) =>
      Promise.all(
        [1, 2, 3].map((n) =>
          updateAt(machine, { state: 'work', event: 'update', by: `web-${n}`, data: `{"n":${n}}` }),
        ),
      ),
    );
    expect((await reportsOf(address, 'work')).reports.map(({ data }) => data)).toEqual([
      { n: 1 },
      { n: 2 },
      { n: 3 },
    ]);
  });

  it('at a second object of the address', async () => {
    const address = await newChart(work);
    await put(address, 'work', { event: 'fail', data: { errors: 1 } });
    await atSecond(address, (second) =>
      updateAt(second, { state: 'work', event: 'fail', data: '{"errors":2}' }),
    );
    expect((await documentOf(address)).context).toMatchObject({ errors: 3 });
    expect((await historyOf(address)).history.map(({ data }) => data)).toEqual([
      { errors: 2 },
      { errors: 1 },
      undefined,
    ]);
  });

  it('at watchers', async () => {
    const address = await newChart(plain);
    await documentOf(address);
    const response = await objectAt(address).read([{ type: 'watch', after: 1 }]);
    const [answer] = response;
    if (answer?.ok !== true || !('events' in answer)) throw new Error('there is no stream');
    const reader = answer.events.pipeThrough(new TextDecoderStream()).getReader();
    await put(address, 'work', { data: { text: 'a\nb' } });
    let text = '';
    while (!text.includes('"revision":2')) text += (await reader.read()).value ?? '';
    await reader.cancel();
    const [, entry = ''] = /^data: (.*"revision":2.*)$/m.exec(text) ?? [];
    expect(JSON.parse(entry)).toMatchObject({ cause: 'update', data: { text: 'a\nb' } });
  });
});
