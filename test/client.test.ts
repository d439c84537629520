/** The client in a Worker: it waits over a WebSocket that `fetch` opens, and repeats what counts once. */
import { exports } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { StateClient } from '../src/client.ts';
import { eventsIn } from '../src/client-events.ts';
import { problem } from '../src/edge/responses.ts';
import { refuse } from '../src/refusal.ts';
import { counting, final, newChart, sequence } from './charts.ts';
import { historyOf, report } from './service.ts';

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

/** What becomes of a request: the service gets it or not, and its answer arrives, or another one, or none. */
type Fate = (request: Request) => Response | Promise<Response>;

const served: Fate = (request) => exports.default.fetch(request);

/** The machine of a client whose first requests have these fates; the last one is that of all others. */
function machineWith(address: string, ...fates: readonly [Fate, ...Fate[]]) {
  const sent: Request[] = [];
  const client = new StateClient({
    url: 'https://service.test',
    retries: 2,
    fetch: async (request) => {
      const fate = fates[sent.length] ?? fates[fates.length - 1] ?? served;
      sent.push(request);
      return fate(request);
    },
  });
  return { machine: client.machine(address), sent };
}

const unknown: Fate = () => problem(refuse('outcome-unknown', 'It may have been counted.'));
const overloaded: Fate = () => problem(refuse('overloaded', 'Nothing was counted.'));

/** Executes a request, and loses its answer. */
const cut: Fate = async (request) => {
  await served(request);
  throw new TypeError('the connection was cut');
};

describe('a move by hand', () => {
  const overridesOf = async (address: string) => {
    const { history } = await historyOf(address);
    return history.filter(({ cause }) => cause === 'override').length;
  };

  it('is sent once where it may have been made', async () => {
    const lost: readonly [Fate, object][] = [
      [
        async (request) => (await served(request)) && unknown(request),
        { status: 520, code: 'outcome-unknown' },
      ],
      [cut, { status: 0, code: 'no-answer' }],
      // The page of a proxy.
      [async (request) => (await served(request)) && new Response('', { status: 503 }), { status: 503 }],
    ];
    for (const [fate, error] of lost) {
      const address = await newChart(drain);
      const { machine, sent } = machineWith(address, fate, served);
      await expect(machine.override('drain', 'look again', 'ann')).rejects.toMatchObject(error);
      expect([sent.length, await overridesOf(address)]).toEqual([1, 1]);
    }
  });

  it('is sent again where the service says that nothing was done', async () => {
    const address = await newChart(drain);
    const { machine, sent } = machineWith(address, overloaded, served);
    expect(await machine.override('patch', 'by hand')).toMatchObject({ ok: true });
    expect([sent.length, await overridesOf(address)]).toEqual([2, 1]);
  });
});

describe('a request that may have been counted', () => {
  type Machine = ReturnType<typeof machineWith>['machine'];
  const once: readonly [string, (machine: Machine) => Promise<unknown>][] = [
    ['override', (machine) => machine.override('drain', 'look again')],
    ['resend', (machine) => machine.resend(1)],
  ];
  const again: readonly [string, (machine: Machine) => Promise<unknown>][] = [
    ['is', (machine) => machine.is('drain')],
    ['update with a name', (machine) => machine.update('drain', { by: 'a' })],
    ['update with a key', (machine) => machine.update('drain', { key: 'k' })],
    ['update', (machine) => machine.update('drain')],
    ['link', (machine) => machine.link('drain', { by: 'a' })],
    ['start', (machine) => machine.start()],
    ['setInputs', (machine) => machine.setInputs({})],
    ['claim', (machine) => machine.claim('drain', 'a')],
    ['renew', (machine) => machine.renew('drain', 'a')],
    ['release', (machine) => machine.release('drain', 'a')],
    ['setMembers', (machine) => machine.setMembers(['a'])],
    ['setMembers without a list', (machine) => machine.setMembers(null)],
    ['strikeMember', (machine) => machine.strikeMember('a')],
    ['members', (machine) => machine.members()],
    ['notifications', (machine) => machine.notifications()],
    ['status', (machine) => machine.status()],
  ];

  it.each(once)('is not repeated: %s', async (_, call) => {
    const { machine, sent } = machineWith('acme/x', unknown);
    await expect(call(machine)).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(sent).toHaveLength(1);
  });

  it.each(again)('is repeated, and counts once: %s', async (_, call) => {
    const { machine, sent } = machineWith('acme/x', unknown);
    await expect(call(machine)).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(sent).toHaveLength(3);
  });

  it('has the effect of one where it is repeated', async () => {
    const changes: readonly [cause: string, (machine: Machine) => Promise<unknown>][] = [
      ['update', (machine) => machine.update('drain')],
      ['update', (machine) => machine.update('drain', { by: 'a' })],
      ['members', (machine) => machine.setMembers(['a', 'b'])],
      ['inputs', (machine) => machine.setInputs({ n: 2 })],
    ];
    for (const [cause, call] of changes) {
      const address = await newChart(
        '{inputs: {n: 1}, initial: drain, states: {drain: {on: {update: done}}, done: {type: final}}}',
      );
      const { machine, sent } = machineWith(address, cut, served);
      expect(await call(machine)).toEqual({ ok: true, revision: 2 });
      const { history } = await historyOf(address);
      expect([sent.length, history.map((entry) => entry.cause)]).toEqual([2, [cause, 'start']]);
    }
  });
});

describe('a request that is to come later', () => {
  const later: Fate = () => problem(refuse('unsupported', 'Soon.', { retryAfter: 1 }));

  it('is repeated after the `Retry-After` of the answer', async () => {
    const address = await newChart(drain);
    const { machine } = machineWith(address, later, served);
    const began = Date.now();
    expect(await machine.is('drain')).toBe(true);
    expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
  });

  it('is repeated after 429, also a move by hand', async () => {
    const address = await newChart(drain);
    const { machine, sent } = machineWith(
      address,
      () => problem(refuse('too-many-requests', 'Later.')),
      served,
    );
    expect(await machine.override('patch', 'by hand')).toMatchObject({ ok: true });
    expect(sent).toHaveLength(2);
  });

  it('is not repeated after the end of a wait', async () => {
    const { machine, sent } = machineWith('acme/x', later);
    await expect(machine.wait('drain', { seconds: 0.5 })).rejects.toMatchObject({ code: 'unsupported' });
    expect(sent).toHaveLength(1);
  });
});

it('a WebSocket is sent a ping as soon as it is open: without a message its end is not told', async () => {
  const { 0: own, 1: other } = new WebSocketPair();
  const first = new Promise((done) => other.addEventListener('message', ({ data }) => done(data)));
  other.accept();
  const notYet: Fate = async () => {
    await first;
    return problem(refuse('not-current', 'Not yet.', { retryAfter: 30 }));
  };
  const upgraded: Fate = () => new Response(null, { status: 101, webSocket: own });
  const { machine } = machineWith('acme/x', upgraded, notYet);
  const over = new AbortController();
  const waiting = machine.wait('patch', { signal: over.signal });
  expect(await first).toBe('ping');
  over.abort();
  await expect(waiting).rejects.toThrow('abort');
});

it('a WebSocket that was closed leaves nothing at the signal of its wait', async () => {
  const upgraded: Fate = () => new Response(null, { status: 101, webSocket: new WebSocketPair()[0] });
  const { machine } = machineWith('acme/x', upgraded, () => new Response('patch'));
  const { signal } = new AbortController();
  const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
  expect(await machine.wait('patch', { signal })).toBe(true);
  expect(added.mock.calls.map(([type]) => type)).toEqual(['abort']);
  expect(removed.mock.calls).toEqual(added.mock.calls);
});

describe('a watch', () => {
  it('misses no entry if it is cut before its first one', async () => {
    const address = await newChart(drain);
    const cutAtOnce: Fate = async (request) => {
      const { body } = await served(request);
      const reader = body?.getReader();
      const begin = await reader?.read();
      await reader?.cancel();
      await report(address, 'drain');
      return new Response(begin?.value);
    };
    const { machine, sent } = machineWith(address, cutAtOnce, served);
    for await (const { event } of machine.watch()) {
      expect(event).toBe('update');
      break;
    }
    expect(sent).toHaveLength(2);
  });

  it('does not wait for a stream on which nothing comes', async () => {
    const silent = eventsIn(new ReadableStream(), 20);
    await expect(silent.next()).rejects.toThrow('nothing has come');
  });
});
