/** Asks and reports by POST, as webhooks send them. */
import { describe, expect, it } from 'vitest';
import { WEBHOOK_BYTES } from '../../src/chart-limits.ts';
import { newChart } from '../charts.ts';
import { historyOf, problemOf, send } from '../service.ts';

const CHART = `
initial: canary
states:
  canary:
    on:
      update: {target: fleet, quorum: 2}
      fail: [{target: rollback, guard: event.data.errors > 5}, {target: rollback, quorum: 3}]
  fleet: {}
  rollback: {type: final}
`;

const post = (address: string, path: string, init: RequestInit = {}) =>
  send('POST', `/${address}/${path}`, init);
const json = (body: string) => ({ body, headers: { 'Content-Type': 'application/json' } });

describe('an ask by POST', () => {
  it('has the answers of GET, whatever its body', async () => {
    const address = await newChart(CHART);
    for (const query of ['state=canary', 'state=fleet', '', 'state=canary&by=a', 'state=canary&evnt=x']) {
      const got = await send('GET', `/${address}/state?${query}`);
      // Flagger's payload, and one that is far too large.
      for (const body of ['{"name":"web","namespace":"test","phase":"Progressing"}', 'x'.repeat(100_000)]) {
        const posted = await post(address, `ask?${query}`, json(body));
        expect([posted.status, posted.headers.get('Retry-After')], query).toEqual([
          got.status,
          got.headers.get('Retry-After'),
        ]);
      }
    }
  });

  it('waits', async () => {
    const address = await newChart(CHART);
    const waiting = post(address, 'ask?state=fleet&wait=20s');
    for (const by of ['a', 'b']) await post(address, `report?state=canary&by=${by}`);
    expect((await waiting).status).toBe(200);
  });
});

describe('a report by POST', () => {
  it('has the answers of PUT', async () => {
    const address = await newChart(CHART);
    expect((await post(address, 'report')).status).toBe(500);
    expect((await post(address, 'report?state=fleet')).status).toBe(406);
    const answer = await post(address, 'report?state=canary&by=a');
    expect([answer.status, await answer.text()]).toEqual([200, 'canary']);
    // The same caller, by the other method: it counts once.
    await send('PUT', `/${address}/state?state=canary&by=a`);
    expect((await historyOf(address)).history).toHaveLength(2);
    expect((await post(address, 'state?state=canary')).status).toBe(405);
  });

  it('has its JSON body as data, whatever its type', async () => {
    for (const init of [json('{"errors": 9}'), { body: '{"errors": 9}' }]) {
      const address = await newChart(CHART);
      expect((await post(address, 'report?state=canary&event=fail', init)).status).toBe(200);
      const [entry] = (await historyOf(address)).history;
      expect(entry).toMatchObject({ to: ['rollback'], data: { errors: 9 }, notes: [] });
    }
  });

  it.each([
    ['a form', { body: new URLSearchParams({ text: 'failed' }) }],
    ['a text', { body: 'failed' }],
    ['JSON that is too large', json(JSON.stringify({ alerts: 'x'.repeat(100_000) }))],
  ])('counts without a body that is no data, and says so: %s', async (_, init) => {
    const address = await newChart(CHART);
    expect((await post(address, 'report?state=canary&by=am', init)).status).toBe(200);
    const [entry] = (await historyOf(address)).history;
    const notes = ['the body was left out: data are JSON of at most 4096 bytes'];
    expect(entry).toMatchObject({ notes });
    expect(entry).not.toHaveProperty('data');
  });

  it('is refused if its body is no JSON but says so, or is larger than any webhook', async () => {
    const address = await newChart(CHART);
    const broken = await post(address, 'report?state=canary', json('{"errors": '));
    expect([broken.status, (await problemOf(broken)).detail]).toEqual([
      400,
      expect.stringContaining('not JSON'),
    ]);
    const huge = await post(address, 'report?state=canary', json('1'.repeat(WEBHOOK_BYTES + 1)));
    expect(huge.status).toBe(413);
  });
});
