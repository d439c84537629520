/** `Idempotency-Key`: a repeat gets the first response, and changes nothing. */
import { describe, expect, it } from 'vitest';
import { counting, final, newAddress, newChart, putChart, sequence } from '../charts.ts';
import { ask, evict, reportTimes, updateAt } from '../service.ts';
import { GUARDED, sendWith, tokenWith } from '../tokens.ts';
import { documentOf, put, refusedOf, reset, revisionOf, storyOf, together, verdict } from './callers.ts';

const ring = sequence(counting('drain', 'patch', 2), counting('patch', 'drain'));

describe('a repeated request', () => {
  it('is counted once, and gets the first answer', async () => {
    const address = await newChart(ring);
    const first = await put(address, 'drain', { key: 'k1' });
    await reportTimes(address, 'drain', 1);
    await reportTimes(address, 'patch', 1);
    const again = await put(address, 'drain', { key: 'k1' });
    expect([again.status, await again.text()]).toEqual([first.status, await first.text()]);
    expect([revisionOf(first), revisionOf(again)]).toEqual([2, 2]);
    expect(await documentOf(address)).toMatchObject({
      states: ['drain'],
      revision: 4,
      quorums: [{ have: 0 }],
    });
  });

  it('gets the first refusal, even if it would be accepted now', async () => {
    const address = await newChart(ring);
    const first = await put(address, 'patch', { key: 'k1' });
    await reportTimes(address, 'drain', 2);
    const again = await put(address, 'patch', { key: 'k1' });
    expect([first.status, again.status]).toEqual([406, 406]);
    expect(await again.text()).toBe(await first.text());
    for (const header of ['ETag', 'Retry-After', 'Content-Type']) {
      expect(again.headers.get(header)).toBe(first.headers.get(header));
    }
    expect(await verdict(await put(address, 'patch', { key: 'k2' }))).toBe('200');
  });

  it('gets the first 412', async () => {
    const address = await newChart(ring);
    expect((await put(address, 'drain', { key: 'k1', match: '"2"' })).status).toBe(412);
    await reportTimes(address, 'drain', 1);
    expect((await put(address, 'drain', { key: 'k1', match: '"2"' })).status).toBe(412);
  });

  it('is a new request under another key', async () => {
    const address = await newChart(ring);
    await put(address, 'drain', { key: 'k1' });
    await put(address, 'drain', { key: 'K1' });
    expect(await documentOf(address)).toMatchObject({ states: ['patch'], revision: 3 });
  });

  it('is a new request at another machine', async () => {
    const [one, other] = [await newChart(ring), await newChart(ring)];
    for (const address of [one, other]) await put(address, 'drain', { key: 'k1' });
    expect((await documentOf(other)).quorums).toMatchObject([{ have: 1 }]);
  });

  it('is another request under the token of another subject, unless it names its caller', async () => {
    const address = await newChart(ring);
    const sendAs = async (sub: string, by = '') => {
      const headers = { Authorization: `Bearer ${await tokenWith({ sub })}`, 'Idempotency-Key': `"7${by}"` };
      const { status } = await sendWith(GUARDED, 'PUT', `/${address}/state?state=drain${by}`, { headers });
      return status;
    };
    expect([await sendAs('ci-1'), await sendAs('ci-2'), await sendAs('ci-1')]).toEqual([200, 422, 200]);
    expect([await sendAs('ci-1', '&by=web'), await sendAs('ci-2', '&by=web')]).toEqual([200, 200]);
    expect(await documentOf(address)).toMatchObject({ states: ['patch'], revision: 3 });
  });

  it('is the same request for a receipt of an earlier version, which hashed no subject', async () => {
    const address = await newChart(ring);
    await put(address, 'drain', { key: 'k1' });
    const headers = { Authorization: `Bearer ${await tokenWith()}`, 'Idempotency-Key': 'k1' };
    const { status } = await sendWith(GUARDED, 'PUT', `/${address}/state?state=drain`, { headers });
    expect([status, (await documentOf(address)).revision]).toEqual([200, 2]);
  });

  it('is another request if it names the same state differently', async () => {
    const address = await newChart(
      'initial: a\nstates: {a: {id: first, on: {update: {target: b, quorum: 9}}}, b: {}}',
    );
    expect(await verdict(await put(address, 'first', { key: 'k1' }))).toBe('200');
    expect(await verdict(await put(address, 'a', { key: 'k1' }))).toBe('422 key-reused');
  });
});

describe('a key of another request', () => {
  const others = {
    'another state': { state: 'patch' },
    'another event': { event: 'fail' },
    'another caller': { by: 'web-01' },
    'another revision': { match: '"1"' },
  };

  it.each(Object.entries(others))('is refused for %s, and nothing changes', async (_, other) => {
    const address = await newChart(ring);
    await put(address, 'drain', { key: 'k1' });
    const { state = 'drain', ...words } = { state: undefined, ...other };
    const response = await put(address, state, { ...words, key: 'k1' });
    expect([response.status, revisionOf(response)]).toEqual([422, 2]);
    expect(await refusedOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:key-reused',
      detail: expect.stringContaining('"k1"'),
    });
    expect((await documentOf(address)).revision).toBe(2);
    // The first request is still known by it.
    expect(await verdict(await put(address, 'drain', { key: 'k1' }))).toBe('200');
  });
});

describe('repeats in one batch', () => {
  const report = (state: string, key: string) => ({ state, event: 'update', key });

  it('are counted once', async () => {
    const address = await newChart(ring);
    const answers = await together(address, (machine) =>
      ['k1', 'k1', 'k2', 'k1'].map((key) => updateAt(machine, report('drain', key))),
    );
    expect(answers).toMatchObject([2, 2, 3, 2].map((revision) => ({ ok: true, revision })));
    expect((await documentOf(address)).states).toEqual(['patch']);
  });

  it('get the first refusal, even if a later one in the batch would be accepted', async () => {
    const address = await newChart(ring);
    const answers = await together(address, (machine) => [
      updateAt(machine, report('patch', 'k1')),
      updateAt(machine, report('drain', 'k2')),
      updateAt(machine, report('drain', 'k3')),
      updateAt(machine, report('patch', 'k1')),
      updateAt(machine, report('patch', 'k2')),
    ]);
    expect(answers).toMatchObject([
      { ok: false, code: 'not-current' },
      { ok: true },
      { ok: true },
      { ok: false, code: 'not-current' },
      { ok: false, code: 'key-reused' },
    ]);
  });
});

describe('a receipt', () => {
  it('survives an eviction', async () => {
    const address = await newChart(ring);
    const refused = await put(address, 'patch', { key: 'no' });
    await put(address, 'drain', { key: 'yes' });
    await evict(address);
    expect(await (await put(address, 'patch', { key: 'no' })).text()).toBe(await refused.text());
    expect(revisionOf(await put(address, 'drain', { key: 'yes' }))).toBe(2);
    expect(await verdict(await put(address, 'patch', { key: 'yes' }))).toBe('422 key-reused');
    expect(await storyOf(address)).toHaveLength(2);
  });

  it('of a refusal alone survives an eviction too', async () => {
    const address = await newChart(ring);
    expect((await put(address, 'patch', { key: 'no' })).status).toBe(406);
    await evict(address);
    await reportTimes(address, 'drain', 2);
    expect((await put(address, 'patch', { key: 'no' })).status).toBe(406);
  });

  it('outlives a reset', async () => {
    const address = await newChart(ring);
    await put(address, 'drain', { key: 'k1' });
    await reset(address);
    expect(revisionOf(await put(address, 'drain', { key: 'k1' }))).toBe(2);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 0 }]);
  });

  it('belongs to one machine: without a chart, none is stored', async () => {
    const address = newAddress();
    expect((await put(address, 'drain', { key: 'k1' })).status).toBe(404);
    await putChart(address, ring);
    expect((await put(address, 'drain', { key: 'k1' })).status).toBe(200);
  });

  it('works together with `by`', async () => {
    const address = await newChart(ring);
    await put(address, 'drain', { by: 'a', key: 'k1' });
    expect(revisionOf(await put(address, 'drain', { by: 'a', key: 'k2' }))).toBe(2);
    expect((await ask(address, 'drain')).status).toBe(200);
  });
});

describe('a key', () => {
  it('is the same with quotes around it', async () => {
    const address = await newChart(ring);
    await put(address, 'drain', { key: '"8e03978e-40d5-43dd-bc93-6894a57f9324"' });
    const again = await put(address, 'drain', { key: '8e03978e-40d5-43dd-bc93-6894a57f9324' });
    expect([again.status, revisionOf(again)]).toEqual([200, 2]);
  });

  it('has 1 to 255 characters', async () => {
    const address = await newChart(sequence(counting('drain', 'done', 9), final('done')));
    expect((await put(address, 'drain', { key: 'k'.repeat(255) })).status).toBe(200);
    for (const key of ['""', 'k'.repeat(256)]) {
      const response = await put(address, 'drain', { key });
      expect(response.status).toBe(400);
      expect((await refusedOf(response)).detail).toContain('`Idempotency-Key`');
    }
    expect((await documentOf(address)).revision).toBe(2);
  });

  it('may be any text, even the key of a report', async () => {
    const address = await newChart(sequence(counting('drain', 'done', 9), final('done')));
    await put(address, 'drain', { by: 'a' });
    const keys = ['by/1/["update","a"]', 'key/k', "' OR 1=1 --", '*'];
    for (const key of [...keys, ...keys]) expect((await put(address, 'drain', { key })).status).toBe(200);
    expect((await documentOf(address)).quorums).toMatchObject([{ have: 1 + keys.length, by: ['a'] }]);
  });
});
