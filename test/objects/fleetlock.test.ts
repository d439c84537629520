/** FleetLock: a node that knows only the protocol takes part in a chart. */

import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { machinePath, objectAt, report, send, tracesOf } from '../service.ts';
import { claim, documentOf, holdersOf, put, storyOf, upload } from './callers.ts';
import { type FleetLockError, ZincatiNode } from './zincati.ts';

const MINUTE = 60_000;

beginAtNoon();

/** All nodes reboot, one after the other, before the next step. */
const rolling = (nodes: number, slots = 1) =>
  sequence(
    { ...counting('reboot', 'verify', nodes), slots, lease: '20m' },
    counting('verify', 'done'),
    final('done'),
  );

describe('a fleet of nodes', () => {
  it.each([1, 2, 3])('reboots, never more than %i nodes at once', async (slots) => {
    const address = await newChart(rolling(7, slots));
    const nodes = Array.from({ length: 7 }, (_, i) => nodeOf(address, `node-${i}`));
    for (const node of nodes) node.stage(2);
    let most = 0;
    for (let round = 0; round < 60 && nodes.some(({ release }) => release < 2); round++) {
      await Promise.all(nodes.map((node) => node.tick()));
      const down = nodes.filter(({ state }) => state === 'finalization');
      most = Math.max(most, down.length);
      expect(down.length).toBeLessThanOrEqual(slots);
      // A reboot takes three rounds or so.
      if (round % 3 === 0) for (const node of down) node.reboot();
    }
    for (let i = 0; i < 3; i++) await Promise.all(nodes.map((node) => node.tick()));
    expect(most).toBe(slots);
    expect(nodes.map(({ release, state }) => [release, state])).toEqual(nodes.map(() => [2, 'steady']));
    expect((await documentOf(address)).states).toEqual(['verify']);
    // Each of them counted once.
    const counted = (await storyOf(address)).filter(({ cause }) => cause === 'update').map(({ by }) => by);
    expect(counted.sort()).toEqual(nodes.map(({ id }) => id));
  });

  it('waits for its turn in the chart', async () => {
    const address = await newChart(
      sequence(counting('canary', 'reboot'), { ...counting('reboot', 'done', 2), slots: 1 }, final('done')),
    );
    const node = nodeOf(address, 'node-1', 'reboot');
    node.stage(2);
    for (let i = 0; i < 4; i++) await node.tick();
    expect(node.state).toBe('pre-reboot');
    expect(node.errors.at(-1)).toEqual({ kind: 'not_current', value: expect.stringContaining('"canary"') });
    await report(address, 'canary');
    await node.tick();
    expect(node.state).toBe('finalization');
  });

  it('can use the machine at the root', async () => {
    await upload('default', rolling(1), '?reset=true');
    const node = new ZincatiNode(send, '', 'node-1');
    node.stage(2);
    for (let i = 0; i < 3; i++) await node.tick();
    node.reboot();
    await node.tick();
    expect((await documentOf('default')).states).toEqual(['verify']);
    await send('DELETE', '/');
    expect((await tracesOf('default')).tables).toEqual([]);
  });

  it('can use a run', async () => {
    const address = `${await newChart(rolling(1))}@2026-11-24`;
    const node = nodeOf(address, 'node-1');
    expect(await node.lock()).toBe(true);
    expect(await holdersOf(address)).toEqual(['node-1']);
  });
});

describe('a lock', () => {
  it('is recursive: its holder gets 200 each time', async () => {
    const address = await newChart(rolling(3));
    const node = nodeOf(address, 'node-1');
    for (let i = 0; i < 3; i++) expect(await node.lock()).toBe(true);
    expect(await holdersOf(address)).toEqual(['node-1']);
    for (let i = 0; i < 3; i++) expect(await node.unlock()).toBe(true);
    expect(await holdersOf(address)).toEqual([]);
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 1, by: ['node-1'] }] });
  });

  it('is owned: no other node can release it', async () => {
    const address = await newChart(rolling(3));
    expect(await nodeOf(address, 'node-1').lock()).toBe(true);
    expect(await nodeOf(address, 'node-2').unlock()).toBe(true);
    expect(await nodeOf(address, 'NODE-1').unlock()).toBe(true);
    expect(await holdersOf(address)).toEqual(['node-1']);
  });

  it('is refused to all but one of several nodes at once', async () => {
    const address = await newChart(rolling(9));
    const nodes = Array.from({ length: 9 }, (_, i) => nodeOf(address, `node-${i}`));
    const locked = await Promise.all(nodes.map((node) => node.lock()));
    expect(locked.filter(Boolean)).toHaveLength(1);
    const [error] = nodes.flatMap(({ errors }) => errors);
    expect(error).toEqual({
      kind: 'slots_taken',
      value: expect.stringMatching(/^All 1 slots of "reboot" are taken: held by "node-/),
    });
  });

  it('of a node that dies is free when its lease ends', async () => {
    const address = await newChart(rolling(3));
    const [dead, next] = [nodeOf(address, 'node-1'), nodeOf(address, 'node-2')];
    expect(await dead.lock()).toBe(true);
    vi.setSystemTime(NOON + 19 * MINUTE);
    expect(await next.lock()).toBe(false);
    vi.setSystemTime(NOON + 20 * MINUTE);
    await runDurableObjectAlarm(objectAt(address));
    expect(await holdersOf(address)).toEqual([]);
    expect(await next.lock()).toBe(true);
    // When the node comes back it holds nothing, and has not counted.
    expect(await dead.unlock()).toBe(true);
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 0 }] });
    expect(await holdersOf(address)).toEqual(['node-2']);
  });

  it('is the same claim as over HTTP', async () => {
    const address = await newChart(rolling(3));
    await claim(address, 'reboot', 'node-1');
    expect(await nodeOf(address, 'node-2').lock()).toBe(false);
    expect(await nodeOf(address, 'node-1').lock()).toBe(true);
    expect((await put(address, 'reboot', { by: 'node-1' })).status).toBe(200);
    expect(await nodeOf(address, 'node-2').lock()).toBe(true);
  });

  it('is given to a node that has counted already: it may reboot again, and counts once', async () => {
    const address = await newChart(rolling(3));
    const node = nodeOf(address, 'node-1');
    for (let i = 0; i < 2; i++) {
      expect(await node.lock()).toBe(true);
      expect(await node.unlock()).toBe(true);
    }
    expect(await holdersOf(address)).toEqual([]);
    expect(await documentOf(address)).toMatchObject({ quorums: [{ have: 1 }] });
  });
});

describe('a node that is up', () => {
  it('gets 200 if it holds no slot, in every state of the machine, and has not reported', async () => {
    const address = await newChart(
      sequence(counting('a', 'b', 2), { ...counting('b', 'c'), slots: 1 }, final('c')),
    );
    for (const group of ['default', 'b']) {
      expect(await nodeOf(address, 'node-1', group).unlock()).toBe(true);
    }
    expect(await documentOf(address)).toMatchObject({ revision: 1, quorums: [{ have: 0 }] });
  });

  it('frees its slot if the state takes no report: the slot is only a lock', async () => {
    const address = await newChart('initial: a\nstates: {a: {slots: 1, on: {go: b}}, b: {}}');
    const node = nodeOf(address, 'node-1');
    expect(await node.lock()).toBe(true);
    expect(await node.unlock()).toBe(true);
    expect(await holdersOf(address)).toEqual([]);
    expect((await documentOf(address)).states).toEqual(['a']);
  });
});

describe('a group', () => {
  const regions = `
type: parallel
states:
  workers: {slots: 1, on: {update: {actions: [{assign: {workers: 1}}]}}}
  infra:
    initial: quiet
    states: {quiet: {on: {open: open}}, open: {id: infra-open, slots: 1, on: {update: quiet}}}
`;

  it('is the state that it names', async () => {
    const address = await newChart(regions);
    await put(address, 'infra', { event: 'open' });
    expect(await nodeOf(address, 'a', 'workers').lock()).toBe(true);
    expect(await nodeOf(address, 'b', 'infra-open').lock()).toBe(true);
    expect(await nodeOf(address, 'c', 'workers').lock()).toBe(false);
    expect((await documentOf(address)).claims).toMatchObject([
      { state: 'workers', holders: [{ by: 'a' }] },
      { state: 'infra-open', holders: [{ by: 'b' }] },
    ]);
  });

  it.each(['elsewhere', 'quiet'])('is no other name: %s', async (group) => {
    const address = await newChart(regions);
    const node = nodeOf(address, 'a', group);
    expect([await node.lock(), await node.unlock()]).toEqual([false, false]);
    expect(node.errors.map(({ kind }) => kind)).toEqual(['no_slots', 'no_slots']);
    expect(await documentOf(address)).toMatchObject({ revision: 1, claims: [{ holders: [] }] });
  });

  it('that is a key of several states is refused with their names', async () => {
    const address = await newChart(`
type: parallel
states:
  eu: {initial: reboot, states: {reboot: {slots: 1, on: {update: done}}, done: {}}}
  us: {initial: reboot, states: {reboot: {slots: 1, on: {update: done}}, done: {}}}
`);
    const node = nodeOf(address, 'a', 'reboot');
    expect(await node.lock()).toBe(false);
    expect(node.errors).toEqual([
      { kind: 'ambiguous_state', value: expect.stringContaining('"eu.reboot", "us.reboot"') },
    ]);
  });

  it('that is `default` is the only current state with slots', async () => {
    const address = await newChart(regions);
    expect(await nodeOf(address, 'a').lock()).toBe(true);
    expect((await documentOf(address)).claims).toMatchObject([{ state: 'workers', holders: [{ by: 'a' }] }]);
  });

  it('that is `default` is refused with both names if there are two such states', async () => {
    const address = await newChart(regions);
    await put(address, 'infra', { event: 'open' });
    const node = nodeOf(address, 'a');
    expect(await node.lock()).toBe(false);
    expect(node.errors).toEqual([
      { kind: 'ambiguous_state', value: expect.stringContaining('"workers", "infra-open"') },
    ]);
    // It holds none of them, and may go on with what it does.
    expect(await node.unlock()).toBe(true);
  });

  it('that is `default` is the state of the slot that the node holds, even if there are two such states', async () => {
    const address = await newChart(regions);
    const node = nodeOf(address, 'a');
    expect(await node.lock()).toBe(true);
    await put(address, 'infra', { event: 'open' });
    expect(await node.lock()).toBe(true);
    expect(await node.unlock()).toBe(true);
    expect((await documentOf(address)).claims).toMatchObject([{ holders: [] }, { holders: [] }]);
    expect(await documentOf(address)).toMatchObject({ context: { workers: 1 } });
  });

  it('that names a state inside the one with slots is told which it is', async () => {
    const address = await newChart('initial: s\nstates: {s: {slots: 1, initial: i, states: {i: {}, k: {}}}}');
    for (const state of ['i', 'k']) {
      const node = nodeOf(address, 'node-1', state);
      expect(await node.lock()).toBe(false);
      const value = `"s.${state}" has no slots of its own; claim one of "s".`;
      expect(node.errors).toEqual([{ kind: 'no_slots', value }]);
    }
  });

  it('that names a state without slots locks nothing', async () => {
    const address = await newChart(sequence(counting('a', 'b', 2), final('b')));
    const node = nodeOf(address, 'node-1', 'a');
    expect(await node.lock()).toBe(false);
    expect(node.errors).toEqual([{ kind: 'no_slots', value: expect.any(String) }]);
  });
});

describe('a request that does not follow the protocol', () => {
  const params = { id: 'node-1', group: 'default' };
  const good = JSON.stringify({ client_params: params });

  it.each([
    ['no header', {}],
    ['another header', { 'fleet-lock-protocol': 'false' }],
    ['an empty header', { 'fleet-lock-protocol': '' }],
  ])('has %s', async (_, headers: Record<string, string>) => {
    await expectRefused({ headers, body: good }, 400, /fleet-lock-protocol/);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"client_params":'],
    ['no object', '[]'],
    ['no parameters', '{}'],
    ['no id', JSON.stringify({ client_params: { group: 'default' } })],
    ['no group', JSON.stringify({ client_params: { id: 'node-1' } })],
    ['an empty id', JSON.stringify({ client_params: { ...params, id: '' } })],
    ['an empty group', JSON.stringify({ client_params: { ...params, group: '' } })],
    ['a number for an id', JSON.stringify({ client_params: { ...params, id: 7 } })],
    ['too long an id', JSON.stringify({ client_params: { ...params, id: 'x'.repeat(256) } })],
    ['a group that is no label', JSON.stringify({ client_params: { ...params, group: 'a b' } })],
  ])('has %s in its body', async (_, body) => {
    await expectRefused({ headers: { 'fleet-lock-protocol': 'true' }, body }, 400, /client_params/);
  });

  it('has a body that is too large', async () => {
    const body = JSON.stringify({ client_params: params, more: 'x'.repeat(20_000) });
    await expectRefused({ headers: { 'fleet-lock-protocol': 'true' }, body }, 413, /bytes/);
  });

  it('has a body that is not text', async () => {
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    await expectRefused({ headers: { 'fleet-lock-protocol': 'true' }, body }, 400, /UTF-8/);
  });

  it('may have additional fields', async () => {
    const address = await newChart(rolling(3));
    const body = JSON.stringify({ client_params: { ...params, more: 1 }, version: 2 });
    const init = { headers: { 'fleet-lock-protocol': 'true' }, body };
    expect((await send('POST', `${machinePath(address)}/v1/pre-reboot`, init)).status).toBe(200);
  });

  it('is not a GET', async () => {
    const address = await newChart(rolling(3));
    const response = await send('GET', `${machinePath(address)}/v1/pre-reboot`);
    expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST, OPTIONS']);
  });

  it('is refused without a chart, and leaves nothing behind', async () => {
    const address = newAddress();
    const node = nodeOf(address, 'node-1');
    expect([await node.lock(), await node.unlock()]).toEqual([false, false]);
    expect(node.errors.map(({ kind }) => kind)).toEqual(['no_chart', 'no_chart']);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

/** Refused with the protocol's own shape of an error at both paths, and without a claim. */
async function expectRefused(init: RequestInit, status: number, words: RegExp): Promise<void> {
  const address = await newChart(rolling(3));
  for (const path of ['pre-reboot', 'steady-state']) {
    const response = await send('POST', `${machinePath(address)}/v1/${path}`, init);
    expect([response.status, response.headers.get('Content-Type')]).toEqual([status, 'application/json']);
    const error = await response.json<FleetLockError>();
    expect(Object.keys(error).sort()).toEqual(['kind', 'value']);
    expect(error.kind).toMatch(/^[a-z_]+$/);
    expect(error.value).toMatch(words);
  }
  expect(await holdersOf(address)).toEqual([]);
}

function nodeOf(address: string, id: string, group?: string): ZincatiNode {
  return new ZincatiNode(send, machinePath(address), id, group);
}
