/** Requests that wait for the same thing share a call to the object; each is answered as if it had one of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TIMED } from '../../slowness.ts';
import { cleanUp, until } from '../server.ts';
import { type LinkedServer, startLinked } from './link.ts';
import { type Call, call } from './raw.ts';

/** `pass` is entered and left in one commit. `stay` and `work` alternate. */
const CHART = `initial: work
states:
  work: {on: {stay: stay, pass: pass, end: done, update: {target: work, quorum: 1000}}}
  stay: {on: {back: work}}
  pass: {always: work}
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
  await server.setLink();
  await send('work', 'update');
  await server.calls();
});

describe('requests that wait for one state', () => {
  it('share one call, and are all told', async () => {
    const waiting = await waitTogether('stay', 50, '30s');
    expect((await server.calls()).underWay).toBe(1);
    await send('work', 'stay');
    expect(await answersOf(waiting)).toEqual(Array(50).fill('200 stay 3'));
  });

  it('end at their own deadlines, with the facts of that moment', TIMED, async () => {
    const began = Date.now();
    const waiting = ['300ms', '2s', '900ms', '30s', '1500ms'].map((wait) => waitFor('stay', wait));
    const ended = waiting.map(async (response) => [(await response).status, Date.now() - began] as const);
    await pause(600);
    await send('work', 'update');
    const [first, third, second, last] = await Promise.all([ended[0], ended[1], ended[2], ended[4]]);
    for (const [due, [status, took] = [0, 0]] of [
      [300, first],
      [900, second],
      [1_500, last],
      [2_000, third],
    ] as const) {
      expect(status).toBe(406);
      expect(took).toBeGreaterThanOrEqual(due - 5);
      expect(took).toBeLessThan(due + 1_500);
    }
    const refusal = (await (await waiting[2])?.json()) as { machine: { revision: number } };
    expect((await waiting[2])?.headers.get('Retry-After')).toBe('5');
    expect(refusal.machine.revision).toBe(3);
    await send('work', 'stay');
    expect((await waiting[3])?.status).toBe(200);
  });

  it('end together by few calls', TIMED, async () => {
    const waiting = await waitTogether('stay', 200, '1500ms');
    await server.calls();
    expect(new Set(await answersOf(waiting))).toEqual(new Set(['406 not-current 2']));
    const { made, most } = await server.calls();
    expect(made).toBeLessThan(50);
    expect(most).toBeLessThanOrEqual(16);
  });

  it('are told of a state that one commit enters and leaves', async () => {
    const waiting = await waitTogether('pass', 20, '30s');
    await send('work', 'pass');
    expect(await answersOf(waiting)).toEqual(Array(20).fill('200 pass 3'));
  });

  it('are told when it cannot come any more', async () => {
    const waiting = await waitTogether('stay', 20, '30s');
    await send('work', 'end');
    expect(await answersOf(waiting)).toEqual(Array(20).fill('406 cannot-come 3'));
  });

  it('and those that wait for another state have another call', async () => {
    const waiting = [await waitTogether('stay', 20, '30s'), await waitTogether('done', 20, '1s')];
    expect((await server.calls()).underWay).toBe(2);
    await send('work', 'stay');
    expect(await answersOf(waiting[0] ?? [])).toEqual(Array(20).fill('200 stay 3'));
    expect(await answersOf(waiting[1] ?? [])).toEqual(Array(20).fill('406 not-current 3'));
  });

  it('leave the machine deleted', async () => {
    const waiting = await waitTogether('stay', 20, '30s');
    expect((await fetch(machine, { method: 'DELETE' })).status).toBe(204);
    expect(await answersOf(waiting)).toEqual(Array(20).fill('404 no-chart'));
    expect(await (await fetch(machine)).json()).toMatchObject({ started: null });
  });

  it('go on after a reset', async () => {
    const waiting = await waitTogether('stay', 20, '30s');
    expect((await fetch(`${machine}/reset`, { method: 'POST' })).status).toBe(204);
    await send('work', 'stay');
    expect(await answersOf(waiting)).toEqual(Array(20).fill('200 stay 4'));
  });
});

describe('requests that wait for the next revision', () => {
  it('share one call and its document', async () => {
    const waiting = Array.from({ length: 20 }, () => statusAfter('"2"', '30s'));
    await joined(20);
    expect((await server.calls()).underWay).toBe(1);
    await send('work', 'stay');
    const documents = (await Promise.all(waiting)).map((response) => response.json());
    for (const document of await Promise.all(documents)) {
      expect(document).toMatchObject({ revision: 3, states: ['stay'] });
    }
  });

  it('that know different ones do not', async () => {
    const one = statusAfter('"2"', '30s');
    const other = statusAfter('"2", "3"', '1s');
    await pause(300);
    expect((await server.calls()).underWay).toBe(2);
    await send('work', 'stay');
    expect((await one).status).toBe(200);
    expect([(await other).status, (await other).headers.get('ETag')]).toEqual([304, '"3"']);
  });
});

describe('the request that makes the call', () => {
  it('may lose its client, and the others are told', async () => {
    const leader = await vanishing('stay', '30s');
    const waiting = await waitTogether('stay', 20, '30s');
    leader.vanish();
    await pause(500);
    await send('work', 'stay');
    expect(await answersOf(waiting)).toEqual(Array(20).fill('200 stay 3'));
  });

  it('may end first, and the others are told', async () => {
    const leader = waitFor('stay', '500ms');
    await pause(200);
    const waiting = await waitTogether('stay', 20, '30s');
    expect((await leader).status).toBe(406);
    await pause(200);
    expect((await server.calls()).underWay).toBe(1);
    await send('work', 'stay');
    expect(await answersOf(waiting)).toEqual(Array(20).fill('200 stay 3'));
  });

  it('is replaced when its code has stopped, and the others are told of what they would have missed', async () => {
    await server.setLink({ losses: 1 });
    const leader = await vanishing('pass', '1s');
    const waiting = await waitTogether('pass', 20, '60s');
    leader.vanish();
    // The object ends the lost call, and nobody waits at it.
    await pause(1_500);
    await send('work', 'pass');
    expect(await answersOf(waiting, 15_000)).toEqual(Array(20).fill('200 pass 3'));
  });
});

describe('a request that joins others', () => {
  it('is told at once if the state is current', TIMED, async () => {
    await server.setLink({ after: 1_000 });
    const [leader] = await waitTogether('stay', 1, '30s');
    await send('work', 'stay');
    const began = Date.now();
    expect((await waitFor('stay', '30s')).status).toBe(200);
    expect(Date.now() - began).toBeLessThan(900);
    expect((await leader)?.status).toBe(200);
  });

  it('is told nothing that is older than it', async () => {
    await server.setLink({ after: 1_500 });
    const [leader] = await waitTogether('stay', 1, '30s');
    await send('work', 'stay');
    await send('stay', 'back');
    // The answer to the first one is on its way.
    let isOver = false;
    const late = waitFor('stay', '30s').finally(() => {
      isOver = true;
    });
    expect((await leader)?.status).toBe(200);
    await pause(1_000);
    expect(isOver).toBe(false);
    await send('work', 'stay');
    expect((await late).headers.get('ETag')).toBe('"5"');
  });

  it('misses nothing if it overtakes the call', async () => {
    await server.setLink({ before: 600 });
    const leader = waitFor('pass', '1500ms');
    await pause(200);
    const late = waitFor('pass', '30s');
    await pause(200);
    await send('work', 'pass');
    // The call arrives after the commit, and ends with its deadline. The next one finds the commit.
    expect((await leader).status).toBe(406);
    expect(await answersOf([late])).toEqual(['200 pass 3']);
  });

  it('misses nothing between two calls', async () => {
    await server.setLink({ after: 800 });
    const leader = waitFor('pass', '500ms');
    await pause(100);
    const waiting = await waitTogether('pass', 20, '30s');
    await pause(500);
    // The object has ended the first call, and its answer is on its way.
    await send('work', 'pass');
    expect((await leader).status).toBe(406);
    expect(await answersOf(waiting)).toEqual(Array(20).fill('200 pass 3'));
  });

  it('does not begin a machine that was deleted between two calls', async () => {
    await server.setLink({ after: 800 });
    const leader = waitFor('stay', '500ms');
    await pause(100);
    const waiting = await waitTogether('stay', 20, '30s');
    await pause(500);
    await fetch(machine, { method: 'DELETE' });
    expect((await leader).status).toBe(406);
    expect(await answersOf(waiting)).toEqual(Array(20).fill('404 no-chart'));
  });
});

describe('a call that is lost', () => {
  it('is made once more for all of them', async () => {
    await server.setLink({ cuts: 1 });
    const waiting = await waitTogether('stay', 20, '30s');
    await send('work', 'stay');
    expect(await answersOf(waiting)).toEqual(Array(20).fill('200 stay 3'));
  });

  it('twice is told as lost to all of them, who come again at different times', async () => {
    await server.setLink({ cuts: 100 });
    const responses = await Promise.all(Array.from({ length: 40 }, () => waitFor('stay', '30s')));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([503]));
    expect(new Set(responses.map(({ headers }) => headers.get('Retry-After'))).size).toBeGreaterThan(1);
  });
});

async function send(state: string, event: string): Promise<void> {
  const response = await fetch(`${machine}/state?state=${state}&event=${event}`, { method: 'PUT' });
  if (response.status !== 200) throw new Error(`${event} to ${state} was answered ${response.status}`);
  await response.text();
}

function waitFor(state: string, wait: string): Promise<Response> {
  return fetch(`${machine}/state?state=${state}&wait=${wait}`);
}

function statusAfter(known: string, wait: string): Promise<Response> {
  return fetch(`${machine}?wait=${wait}`, { headers: { 'If-None-Match': known } });
}

/** Sends requests that wait. @returns when the service has all of them. */
async function waitTogether(state: string, count: number, wait: string): Promise<Promise<Response>[]> {
  const waiting = Array.from({ length: count }, () => waitFor(state, wait));
  await joined(count);
  return waiting;
}

/** Waits until the edge has asked for so many requests, and a moment more. */
async function joined(count: number): Promise<void> {
  await pause(200 + count);
  let made = -1;
  await until(async () => {
    const before = made;
    ({ made } = await server.calls());
    await pause(100);
    return before !== -1 && made === 0;
  });
}

/** A request whose client will leave. @returns when the service has it. */
async function vanishing(state: string, wait: string): Promise<Call> {
  const leaving = call('GET', `${machine}/state?state=${state}&wait=${wait}`);
  await leaving.sent;
  await pause(200);
  return leaving;
}

/**
 * Responses in short: the status, the state or the kind of problem, and the revision.
 *
 * @param within they must come in that time, ms.
 */
async function answersOf(waiting: readonly Promise<Response>[], within = 3_000): Promise<string[]> {
  const began = Date.now();
  const responses = await Promise.all(waiting);
  expect(Date.now() - began).toBeLessThan(within);
  return Promise.all(
    responses.map(async (response) => {
      if (response.ok) return `${response.status} ${await response.text()} ${revisionOf(response)}`;
      const { type, machine } = (await response.json()) as { type: string; machine?: { revision: number } };
      const facts = machine === undefined ? [] : [machine.revision];
      return [response.status, type.slice(type.lastIndexOf(':') + 1), ...facts].join(' ');
    }),
  );
}

function revisionOf(response: Response): number {
  return Number(/\d+/.exec(response.headers.get('ETag') ?? '')?.[0]);
}
