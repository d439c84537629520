/** `ETag` and `If-Match`: every response has its revision, and a report may require one. */
import { beforeEach, describe, expect, it } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { ask, machinePath, reportTimes, send, updateAt } from '../service.ts';
import { sendWith } from '../tokens.ts';
import {
  claim,
  documentOf,
  put,
  refusedOf,
  release,
  reset,
  resource,
  revisionOf,
  storyOf,
  together,
  upload,
} from './callers.ts';

const ring = sequence(counting('drain', 'patch', 2), counting('patch', 'drain'));

describe('a report that requires a revision', () => {
  it('counts at that revision', async () => {
    const address = await newChart(ring);
    await reportTimes(address, 'drain', 1);
    const response = await put(address, 'drain', { match: '"2"' });
    expect([response.status, revisionOf(response)]).toEqual([200, 3]);
  });

  it('is refused at another one, and nothing changes', async () => {
    const address = await newChart(ring);
    await reportTimes(address, 'drain', 1);
    const response = await put(address, 'drain', { match: '"1"' });
    expect([response.status, revisionOf(response)]).toEqual([412, 2]);
    expect(await refusedOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:wrong-revision',
      detail: 'The machine is at revision 2.',
      machine: { revision: 2, states: ['drain'] },
    });
    expect(await storyOf(address)).toHaveLength(2);
  });

  it.each([
    ['any', '*', 200],
    ['one of several', '"7", "1"', 200],
    ['one of several without blanks', '"7","1","8"', 200],
    ['none of several', '"7", "11"', 412],
    ['the present one, weakened by a proxy', 'W/"1"', 200],
    ['another one, weakened by a proxy', 'W/"7"', 412],
    ['a strong one beside a weak one', 'W/"7", "1"', 200],
    ['a tag that is not ours', '"abc"', 412],
    ['one without quotes', '1', 412],
    ['a tag that only begins like it', '"10"', 412],
  ])('may name %s: %s', async (_, match, status) => {
    const address = await newChart(ring);
    expect((await put(address, 'drain', { match })).status).toBe(status);
    expect((await documentOf(address)).revision).toBe(status === 200 ? 2 : 1);
  });

  it.each(['', ' '])('is 400 if the header is empty: "%s"', async (match) => {
    const address = await newChart(ring);
    // Handed to the Worker itself: workerd's own HTTP takes an empty If-Match for none.
    const headers = { 'If-Match': match };
    const response = await sendWith({}, 'PUT', `/${address}/state?state=drain`, { headers });
    expect(response.status).toBe(400);
    expect((await refusedOf(response)).detail).toMatch(/`If-Match` is empty/);
    expect((await documentOf(address)).revision).toBe(1);
  });

  it('counts once: of two in one batch, the second is refused', async () => {
    const address = await newChart(ring);
    const update = { state: 'drain', event: 'update', revisions: [1] };
    const answers = await together(address, (machine) => [
      updateAt(machine, update),
      updateAt(machine, update),
    ]);
    expect(answers).toMatchObject([
      { ok: true, revision: 2 },
      { ok: false, code: 'wrong-revision', machine: { revision: 2 } },
    ]);
  });

  it('gets 200 again if its caller has reported before, at any revision', async () => {
    const address = await newChart(ring);
    await put(address, 'drain', { by: 'a', match: '"1"' });
    await reportTimes(address, 'drain', 1);
    expect((await put(address, 'drain', { by: 'a', match: '"1"' })).status).toBe(200);
    expect((await put(address, 'patch', { by: 'a', match: '"1"' })).status).toBe(412);
  });

  it('is refused for the revision before the state', async () => {
    const address = await newChart(ring);
    expect((await put(address, 'patch', { match: '"9"' })).status).toBe(412);
    expect((await put(address, 'patch', { match: '"1"' })).status).toBe(406);
  });
});

describe('every response of a machine', () => {
  const chart = `
initial: work
states:
  work: {slots: 1, on: {update: {target: rest, quorum: 3}}}
  rest: {on: {update: work}}
  never: {}
`;
  let address = '';
  beforeEach(async () => {
    address = await newChart(chart);
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a', key: 'k1' });
    await claim(address, 'work', 'b');
  });

  const path = () => machinePath(address);
  const answers: readonly [string, number, () => Promise<Response>][] = [
    ['a state that is current', 200, () => ask(address, 'work')],
    ['a state that is not', 406, () => ask(address, 'rest')],
    ['a state that cannot come', 406, () => ask(address, 'never')],
    ['an unknown state', 406, () => ask(address, 'nowhere')],
    ['a report that counts', 200, () => put(address, 'work', { by: 'b' })],
    ['a report that comes again', 200, () => put(address, 'work', { by: 'a' })],
    ['a report of a caller without a slot', 406, () => put(address, 'work', { by: 'c' })],
    ['a report at another revision', 412, () => put(address, 'work', { by: 'b', match: '"1"' })],
    ['a key that is used again', 422, () => put(address, 'rest', { key: 'k1' })],
    ['the status', 200, () => send('GET', path())],
    [
      'the status that is known',
      304,
      async () => {
        return send('GET', path(), {
          headers: { 'If-None-Match': `"${(await documentOf(address)).revision}"` },
        });
      },
    ],
    ['the chart', 200, () => send('GET', `${path()}/chart`)],
    ['the history', 200, () => send('GET', `${path()}/history`)],
    [
      'the history in lines',
      200,
      () => send('GET', `${path()}/history`, { headers: { Accept: 'application/x-ndjson' } }),
    ],
    ['a claim', 200, () => claim(address, 'work', 'b')],
    ['a claim without a free slot', 406, () => claim(address, 'work', 'c')],
    ['a claim of what has no slots', 406, () => claim(address, 'rest', 'c')],
    ['a slot given back', 204, () => release(address, 'work', 'b')],
    ['a slot of an unknown state, given back', 406, () => release(address, 'nowhere', 'b')],
    ['a reset', 204, () => reset(address)],
    ['a chart that is too early', 409, () => upload(address, ring)],
    [
      'a chart for another revision',
      412,
      () => upload(address, ring, '', { headers: { 'If-Match': '"1"' } }),
    ],
    ['a chart', 200, () => upload(address, ring, '?reset=true')],
  ];

  it.each(answers)('carries the revision: %s, %i', async (_, status, request) => {
    const response = await request();
    expect(response.status).toBe(status);
    const revision = revisionOf(response);
    await response.body?.cancel();
    expect(revision).toBe((await documentOf(address)).revision);
  });

  it('carries the revision when the chart is the first one', async () => {
    const response = await upload(newAddress(), ring);
    expect([response.status, revisionOf(response)]).toEqual([201, 1]);
  });

  it('carries the same revision until something changes', async () => {
    const before = (await documentOf(address)).revision;
    for (const state of ['rest', 'never', 'work']) expect(revisionOf(await ask(address, state))).toBe(before);
    expect(revisionOf(await put(address, 'work', { by: 'b' }))).toBe(before + 1);
  });
});

describe('a revision', () => {
  it('continues after a reset', async () => {
    const address = await newChart(sequence(counting('a', 'b'), final('b')));
    await reportTimes(address, 'a', 1);
    expect(revisionOf(await reset(address))).toBe(3);
    expect(revisionOf(await send('GET', resource(address, 'history')))).toBe(3);
  });
});
