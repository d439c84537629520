/** What `max-stale` saves: the calls of one edge to the object, for many machines that ask or wait. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { cleanUp, until } from '../server.ts';
import { type LinkedServer, startLinked } from './link.ts';

const CHART = `initial: work
states:
  work: {on: {go: next, stop: done}}
  next: {on: {back: work}}
  done: {type: final}
`;

let server: LinkedServer;
let machine: string;
let runs = 0;
beforeAll(async () => {
  server = await startLinked({ 'team/chart.yaml': CHART });
});
afterAll(cleanUp);
beforeEach(async () => {
  runs += 1;
  machine = `${server.url}/team/chart@${runs}`;
  await fetch(`${machine}/start`, { method: 'POST' });
  await server.calls();
});

it('one call serves all that ask', async () => {
  const answers: number[] = [];
  for (let i = 0; i < 200; i++) answers.push((await ask('next', 'max-stale=60s')).status);
  expect(new Set(answers)).toEqual(new Set([406]));
  expect((await server.calls()).made).toBe(1);
  for (let i = 0; i < 20; i++) await ask('next');
  expect((await server.calls()).made).toBe(20);
});

it('requests that wait join and end without calls of their own, and are told of the transition', async () => {
  // The first waits at the object; the second asks, and what it is told serves the others.
  const first = ask('next', 'wait=60s&max-stale=60s');
  await until(async () => (await server.calls()).underWay === 1);
  for (let i = 0; i < 50; i++) expect((await ask('next', 'wait=1ms&max-stale=60s')).status).toBe(406);
  const others = Array.from({ length: 50 }, () => ask('next', 'wait=60s&max-stale=60s'));
  expect((await server.calls()).made).toBeLessThanOrEqual(1);
  expect((await fetch(`${machine}/state?state=work&event=go`, { method: 'PUT' })).status).toBe(200);
  for (const { status } of await Promise.all([first, ...others])) expect(status).toBe(200);
});

it('a wait that is told a stale answer goes on with the news after it', async () => {
  const first = ask('next', 'wait=60s&max-stale=60s');
  await until(async () => (await server.calls()).underWay === 1);
  await ask('next', 'wait=1ms&max-stale=60s');
  // It is entered and left.
  for (const [state, event] of [
    ['work', 'go'],
    ['next', 'back'],
  ])
    await fetch(`${machine}/state?state=${state}&event=${event}`, { method: 'PUT' });
  expect((await first).status).toBe(200);
  expect((await ask('next', 'wait=1ms')).status).toBe(406);
});

function ask(state: string, more = ''): Promise<Response> {
  return fetch(`${machine}/state?state=${state}${more && `&${more}`}`);
}
