/** The client in a Worker: it waits over a WebSocket that `fetch` opens. */
import { exports } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { StateClient } from '../src/client.ts';
import { counting, final, newChart, sequence } from './charts.ts';
import { report } from './service.ts';

const drain = sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done'));

/** A client that counts its requests, and those that open a WebSocket. */
function countingClient() {
  const sent = { requests: 0, upgrades: 0 };
  const client = new StateClient({
    url: 'https://service.test',
    token: 'any',
    fetch: (request) => {
      sent.requests += 1;
      if (request.headers.get('Upgrade') === 'websocket') {
        sent.upgrades += 1;
        expect(request.headers.get('Authorization')).toBe('Bearer any');
      }
      return exports.default.fetch(request);
    },
  });
  return { client, sent };
}

it('a wait of an hour is over a WebSocket, and asks after each change of states', async () => {
  const address = await newChart(drain);
  const { client, sent } = countingClient();
  const waiting = client.machine(address).wait('patch', { seconds: 3_600 });
  await expect.poll(() => sent.requests).toBe(2);
  await report(address, 'drain');
  await new Promise((done) => setTimeout(done, 100));
  // What is only counted is no reason to ask.
  expect(sent).toEqual({ requests: 2, upgrades: 1 });
  await report(address, 'drain');
  expect(await waiting).toBe(true);
});

it('a wait of a minute is a request', async () => {
  const address = await newChart(drain);
  const { client, sent } = countingClient();
  const waiting = client.machine(address).wait('patch', { seconds: 60 });
  for (let i = 0; i < 2; i++) await report(address, 'drain');
  expect(await waiting).toBe(true);
  expect(sent.upgrades).toBe(0);
});
