/** `PUT {machine}/chart` puts a chart at the address. */
import { describe, expect, it } from 'vitest';
import { CHART_BYTES } from '../../src/chart-limits.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, chartOf, evict, executeAt, report, reportTimes, send, tracesOf } from '../service.ts';
import {
  claim,
  documentOf,
  holdersOf,
  put,
  refusedOf,
  resource,
  revisionOf,
  storyOf,
  together,
  upload,
  verdict,
} from './callers.ts';

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done'));
const other = sequence(counting('first', 'second'), final('second'));

describe('the first chart of an address', () => {
  it('is 201, and starts the machine', async () => {
    const address = newAddress();
    const response = await upload(address, drain, '?by=admin');
    expect([response.status, revisionOf(response), response.headers.get('Content-Type')]).toEqual([
      201,
      1,
      'application/json',
    ]);
    const { chart } = await documentOf(address);
    expect(await response.json()).toEqual({ dialect: 'sequence', hash: chart.hash, warnings: [] });
    expect(chart).toEqual({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), source: 'upload', newer: false });
    expect(await storyOf(address)).toMatchObject([
      { cause: 'upload', by: 'admin', from: [], to: ['drain'], revision: 1 },
    ]);
  });

  it('may be a statechart, and is returned as it was written', async () => {
    const address = newAddress();
    const text = 'initial: a # the first\nstates:\n  a: {on: {update: b}}\n  b: {}\n';
    expect(await (await upload(address, text)).json()).toMatchObject({ dialect: 'statechart' });
    expect(await chartOf(address)).toBe(text);
  });

  it('survives an eviction', async () => {
    const address = newAddress();
    await upload(address, drain);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({
      states: ['drain'],
      chart: { source: 'upload', newer: false },
    });
  });

  it('gets warnings about what is allowed but probably a mistake', async () => {
    const response = await upload(newAddress(), sequence(counting('a', 'b'), final('b'), final('aside')));
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      warnings: [
        { severity: 'warning', line: 1, path: 'states[2].name', message: expect.stringContaining('"aside"') },
      ],
    });
  });

  it('takes precedence over a bound one', async () => {
    const address = await newChart(drain);
    expect((await upload(address, other)).status).toBe(201);
    expect(await documentOf(address)).toMatchObject({ states: ['first'], chart: { source: 'upload' } });
  });
});

describe('another chart', () => {
  it('is 200 if the machine has only begun, and restarts it', async () => {
    const address = newAddress();
    await upload(address, drain);
    const response = await upload(address, other);
    expect([response.status, revisionOf(response)]).toEqual([200, 2]);
    expect(await documentOf(address)).toMatchObject({ states: ['first'], chart: { newer: false } });
    expect((await storyOf(address)).at(-1)).toMatchObject({
      cause: 'upload',
      from: ['drain'],
      to: ['first'],
    });
  });

  it('is 200 if the machine is done', async () => {
    const address = newAddress();
    await upload(address, other);
    await report(address, 'first');
    expect((await upload(address, drain)).status).toBe(200);
    expect((await documentOf(address)).states).toEqual(['drain']);
  });

  it('is 409 in mid-sequence, and nothing changes', async () => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    const response = await upload(address, other);
    expect([response.status, revisionOf(response)]).toEqual([409, 2]);
    expect(await refusedOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:mid-sequence',
      detail: expect.stringContaining('?reset=true'),
      machine: { states: ['drain'] },
    });
    expect(await documentOf(address)).toMatchObject({ revision: 2, chart: { newer: false } });
    expect(await chartOf(address)).toContain('drain');
  });

  it('is 409 as soon as a slot is claimed', async () => {
    const address = newAddress();
    await upload(address, sequence({ ...counting('work', 'rest', 3), slots: 1 }, final('rest')));
    await claim(address, 'work', 'a');
    expect(await verdict(await upload(address, other))).toBe('409 mid-sequence');
  });

  it('is 409 against a bound chart in mid-sequence', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    expect(await verdict(await upload(address, other))).toBe('409 mid-sequence');
  });

  it('is taken in mid-sequence with ?reset=true', async () => {
    const address = newAddress();
    await upload(address, drain);
    await put(address, 'drain', { by: 'a' });
    const response = await upload(address, other, '?reset=true');
    expect([response.status, revisionOf(response)]).toEqual([200, 3]);
    await evict(address);
    expect(await documentOf(address)).toMatchObject({
      states: ['first'],
      revision: 3,
      quorums: [{ have: 0, by: [] }],
    });
  });

  it.each([
    ['?reset=false', 409],
    ['?reset=1', 400],
    ['?reset', 400],
    ['?reset=TRUE', 400],
  ])('is not taken with %s', async (query, status) => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    expect((await upload(address, other, query)).status).toBe(status);
  });

  it('forgets all reports', async () => {
    const address = newAddress();
    await upload(address, drain);
    await put(address, 'drain', { by: 'a' });
    await upload(address, sequence(counting('drain', 'patch', 2), final('patch')), '?reset=true');
    expect((await put(address, 'drain', { by: 'a' })).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1, by: ['a'] }]);
  });
});

describe('the same chart again', () => {
  it('changes nothing, even in mid-sequence', async () => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    const response = await upload(address, drain);
    expect([response.status, revisionOf(response)]).toEqual([200, 2]);
    expect(await documentOf(address)).toMatchObject({ revision: 2, quorums: [{ have: 1 }] });
    expect(await storyOf(address)).toHaveLength(2);
  });

  it('restarts the machine with ?reset=true', async () => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    expect(revisionOf(await upload(address, drain, '?reset=true'))).toBe(3);
    expect(await documentOf(address)).toMatchObject({ revision: 3, quorums: [{ have: 0 }] });
  });

  it('with other formatting is another chart', async () => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    expect((await upload(address, `${drain}\n`)).status).toBe(409);
  });

  it('from several callers at once is accepted once', async () => {
    const address = newAddress();
    await upload(address, other);
    await together(address, (machine) =>
      Array.from({ length: 5 }, () => executeAt(machine, { type: 'upload', text: drain, reset: false })),
    );
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], revision: 2 });
  });
});

describe('a chart with If-Match', () => {
  it('is accepted at that revision, and refused at another', async () => {
    const address = newAddress();
    await upload(address, drain);
    await report(address, 'drain');
    const at = (match: string) => upload(address, other, '?reset=true', { headers: { 'If-Match': match } });
    const refused = await at('"1"');
    expect([refused.status, revisionOf(refused)]).toEqual([412, 2]);
    expect((await documentOf(address)).states).toEqual(['drain']);
    expect((await at('"2"')).status).toBe(200);
  });

  it('is refused without a machine', async () => {
    const address = newAddress();
    const response = await upload(address, drain, '', { headers: { 'If-Match': '"1"' } });
    expect(await verdict(response)).toBe('412 wrong-revision');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

describe('a text that is no chart', () => {
  it('is 422 with every error, and leaves nothing behind', async () => {
    const address = newAddress();
    const response = await upload(
      address,
      'current_state: a\nstates:\n  - name: b\n    func: jump\n  - name: b\n',
    );
    expect([response.status, response.headers.get('Content-Type')]).toEqual([
      422,
      'application/problem+json',
    ]);
    const { errors = [], ...refused } = await refusedOf(response);
    expect(refused.type).toBe('urn:stateservice:problem:invalid-chart');
    expect(errors.map(({ line, column, path }) => [line, column, path])).toEqual([
      [1, 16, 'current_state'],
      [4, 11, 'states[0].func'],
      [5, 11, 'states[1].name'],
    ]);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('is 422 and changes nothing if there is a chart already', async () => {
    const address = newAddress();
    await upload(address, drain);
    expect((await upload(address, 'initial: nowhere\nstates: {a: {}}', '?reset=true')).status).toBe(422);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], revision: 1 });
  });

  it.each([
    ['nothing', '', 422],
    ['a list', '[]', 422],
    ['no UTF-8', new Uint8Array([0x61, 0xff]), 400],
    ['too many bytes', 'a'.repeat(CHART_BYTES + 1), 413],
    ['too many bytes of few characters', '🚀'.repeat(CHART_BYTES / 4 + 1), 413],
  ])('is refused: %s', async (_, body, status) => {
    const address = newAddress();
    const response = await send('PUT', resource(address, 'chart'), { body });
    expect(response.status).toBe(status);
    await response.body?.cancel();
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('is refused as too large before all of it was sent', async () => {
    const address = newAddress();
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        sent += 64 * 1_024;
        controller.enqueue(new Uint8Array(64 * 1_024));
        if (sent > 64 * CHART_BYTES) controller.close();
      },
    });
    expect(await verdict(await send('PUT', resource(address, 'chart'), { body }))).toBe('413 too-large');
    expect(sent).toBeLessThan(8 * CHART_BYTES);
  });

  it('may be as large as the bound', async () => {
    const text = `${drain}\n#`;
    const address = newAddress();
    expect((await upload(address, text.padEnd(CHART_BYTES, 'x'))).status).toBe(201);
  });

  it('may begin with a byte order mark', async () => {
    expect((await upload(newAddress(), `\uFEFF${drain}`)).status).toBe(201);
  });
});

describe('a run', () => {
  it('runs the chart that was uploaded to its base address', async () => {
    const base = newAddress();
    await upload(base, drain);
    expect(await documentOf(`${base}@one`)).toMatchObject({ states: ['drain'], chart: { source: 'upload' } });
    await reportTimes(`${base}@one`, 'drain', 2);
    expect((await documentOf(base)).states).toEqual(['drain']);
    expect((await documentOf(`${base}@two`)).states).toEqual(['drain']);
  });

  it('keeps the chart with which it began, and shows that a newer one exists', async () => {
    const base = newAddress();
    await upload(base, drain);
    await report(`${base}@one`, 'drain');
    await upload(base, other);
    await evict(`${base}@one`);
    expect(await documentOf(`${base}@one`)).toMatchObject({ states: ['drain'], chart: { newer: true } });
    // A new run has the new one; the old one after a reset.
    expect((await documentOf(`${base}@two`)).states).toEqual(['first']);
    await send('POST', resource(`${base}@one`, 'reset'));
    expect(await documentOf(`${base}@one`)).toMatchObject({ states: ['first'], chart: { newer: false } });
  });

  it('accepts no chart of its own', async () => {
    const base = newAddress();
    await upload(base, drain);
    for (const run of [`${base}@one`, `${newAddress()}@one`]) {
      const response = await upload(run, other);
      expect(response.status).toBe(400);
      const [chart] = run.split('@');
      expect((await refusedOf(response)).detail).toContain(`/${chart}/chart`);
      expect(await tracesOf(run)).toEqual({ tables: [], alarm: null });
    }
  });

  it('continues when its chart is deleted, and a new run cannot begin', async () => {
    const base = newAddress();
    await upload(base, drain);
    await report(`${base}@one`, 'drain');
    await send('DELETE', `/${base}`);
    expect((await report(`${base}@one`, 'drain')).status).toBe(200);
    expect((await documentOf(`${base}@one`)).chart.newer).toBe(false);
    expect((await ask(`${base}@two`, 'drain')).status).toBe(404);
    expect(await tracesOf(`${base}@two`)).toEqual({ tables: [], alarm: null });
    expect(await tracesOf(base)).toEqual({ tables: [], alarm: null });
  });

  it('leaves nothing behind at its base address, which need not have begun', async () => {
    const base = await newChart(drain);
    await report(`${base}@one`, 'drain');
    expect(await tracesOf(base)).toEqual({ tables: [], alarm: null });
    expect((await documentOf(`${base}@one`)).chart.source).toBe('bundle');
  });
});

describe('a sequence that is corrected in mid-run', () => {
  const corrected = async (address: string, from: string, to: string) => {
    const text = (await chartOf(address)).replace(from, to);
    return upload(address, text, '?reset=true');
  };
  const long = sequence(counting('drain', 'patch', 3), counting('patch', 'done', 2), final('done'));
  const value3 = '"value":3';

  it('keeps the callers that have reported, so no caller counts twice', async () => {
    const address = await newChart(long);
    await put(address, 'drain', { by: 'web-01' });
    expect((await corrected(address, value3, '"value":2')).status).toBe(200);
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 1, need: 2, by: ['web-01'] }] });
    const { revision } = await documentOf(address);
    expect(revisionOf(await put(address, 'drain', { by: 'web-01' }))).toBe(revision);
    await evict(address);
    expect(revisionOf(await put(address, 'drain', { by: 'web-01' }))).toBe(revision);
    await put(address, 'drain', { by: 'web-02' });
    expect((await documentOf(address)).states).toEqual(['patch']);
  });

  it('keeps the callers that have reported to a state that was left, for repeats', async () => {
    const address = await newChart(long);
    for (const by of ['a', 'b', 'c']) await put(address, 'drain', { by });
    await put(address, 'patch', { by: 'a' });
    expect((await corrected(address, '"value":2', '"value":4')).status).toBe(200);
    for (const [state, by] of [
      ['drain', 'c'],
      ['patch', 'a'],
    ] as const) {
      expect((await put(address, state, { by })).status).toBe(200);
    }
    expect(await documentOf(address)).toMatchObject({ states: ['patch'], quorums: [{ have: 1, need: 4 }] });
    expect((await put(address, 'drain', { by: 'd' })).status).toBe(406);
  });

  it('keeps the claims and cooldowns of its current state', async () => {
    const drain = { ...counting('drain', 'done', 3), slots: 2, lease: '10m', cooldown: '10m' };
    const address = await newChart(sequence(drain, final('done')));
    for (const by of ['a', 'b']) await claim(address, 'drain', by);
    await put(address, 'drain', { by: 'b' });
    expect((await corrected(address, value3, '"value":4')).status).toBe(200);
    await evict(address);
    expect(await holdersOf(address)).toEqual(['a']);
    expect(await verdict(await claim(address, 'drain', 'c'))).toBe('406 slots-taken');
    expect(await verdict(await put(address, 'drain', { by: 'a' }))).toBe('200');
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 2, need: 4, by: ['b', 'a'] }]);
  });

  it('begins later visits of its states as before, in a ring too', async () => {
    const address = await newChart(sequence(counting('drain', 'patch', 2), counting('patch', 'drain', 3)));
    for (const state of ['drain', 'drain', 'patch', 'patch', 'patch', 'drain']) await report(address, state);
    expect((await corrected(address, 'count', 'reports')).status).toBe(200);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], quorums: [{ have: 1, need: 2 }] });
    await evict(address);
    await report(address, 'drain');
    expect(await documentOf(address)).toMatchObject({ states: ['patch'], quorums: [{ have: 0, need: 3 }] });
    await reportTimes(address, 'patch', 3);
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], quorums: [{ have: 0, need: 2 }] });
  });

  it('keeps the reports to states that have moved in the document', async () => {
    const address = await newChart(long);
    for (const by of ['a', 'b']) await put(address, 'drain', { by });
    const chart = sequence(final('done'), counting('drain', 'done', 4, 2));
    await upload(address, chart.replace('"done","states"', '"drain","states"'), '?reset=true');
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 2, need: 4, by: ['a', 'b'] }] });
  });

  it('restarts if its values are not the present ones', async () => {
    const address = await newChart(long);
    await put(address, 'drain', { by: 'web-01' });
    await upload(address, long, '?reset=true');
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 0, by: [] }] });
    await put(address, 'drain', { by: 'web-01' });
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 1, by: ['web-01'] }] });
  });

  it('begins its runs, and the machine after a reset, in the initial state', async () => {
    const address = await newChart(
      sequence(counting('drain', 'patch', 7, 5), counting('patch', 'done', 3), final('done')),
    );
    await reportTimes(address, 'drain', 2);
    await report(address, 'patch');
    for (const [from, to] of [
      ['"value":3', '"value":4'],
      ['"value":4', '"value":6'],
    ] as const) {
      expect((await corrected(address, from, to)).status).toBe(200);
      expect(await documentOf(address)).toMatchObject({ states: ['patch'], quorums: [{ have: 1 }] });
      for (const run of [`${address}@1`, `${address}@2`]) {
        expect(await documentOf(run)).toMatchObject({
          states: ['drain'],
          quorums: [{ have: 5, need: 7 }],
          chart: { newer: false },
        });
      }
    }
    expect((await report(`${address}@1`, 'drain')).status).toBe(200);
    await send('POST', resource(address, 'reset'));
    expect(await documentOf(address)).toMatchObject({ states: ['drain'], chart: { newer: false } });
  });

  it('is recognized by its values at an address without an uploaded chart', async () => {
    const address = newAddress();
    const left = counting('drain', 'patch', 2, 2);
    const text = sequence(left, counting('patch', 'done', 3, 1), final('done'));
    await upload(address, text.replace('"drain","states"', '"patch","states"'));
    expect(await documentOf(address)).toMatchObject({ states: ['patch'], quorums: [{ have: 1 }] });
    expect(await documentOf(`${address}@1`)).toMatchObject({ states: ['drain'], quorums: [{ have: 0 }] });
  });
});
