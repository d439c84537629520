/** Shares of the members count each caller once in a visit, whatever state of the visit it has reported to. */
import { describe, expect, it } from 'vitest';
import { newChart } from '../charts.ts';
import { evict, send, statusOf } from '../service.ts';
import { put, resource, verdict } from './callers.ts';

const setMembers = (address: string, body: string) => send('PUT', resource(address, 'members'), { body });
const report = async (address: string, state: string, by: string, event?: string) =>
  verdict(await put(address, state, { by, ...(event === undefined ? {} : { event }) }));
const countsOf = async (address: string) =>
  (await statusOf(address)).quorums.map(({ state, have, need }) => [state, have, need]);

/** `a` is left and entered again while the state around it stays. */
const LOOP = `
initial: all
context: {visits: 0}
states:
  all:
    on: {update: {target: end, quorum: all}}
    initial: a
    states:
      a:
        entry: [{assign: {visits: context.visits + 1}}]
        on: {next: b, update: {guard: context.visits == 3, actions: [{assign: {visits: context.visits}}]}}
      b: {on: {back: a}}
  end: {type: final}
`;

async function loop(address: string): Promise<void> {
  expect(await report(address, 'all.a', 'y', 'next')).toBe('200');
  expect(await report(address, 'all.b', 'y', 'back')).toBe('200');
  await evict(address);
}

describe('a share', () => {
  it('counts a caller once, though the state that it reports to was entered again', async () => {
    const address = await newChart(LOOP);
    await setMembers(address, 'x\ny');
    expect(await report(address, 'all.a', 'x')).toBe('200');
    await loop(address);
    expect(await report(address, 'all.a', 'x')).toBe('406 not-taken');
    expect(await countsOf(address)).toEqual([['all', 1, 2]]);
    expect(await report(address, 'all.a', 'y')).toBe('200');
    expect((await statusOf(address)).states).toEqual(['end']);
  });

  it.each([true, false])(
    'counts a caller once, though the state that it has reported to was left (evicted: %s)',
    async (isEvicted) => {
      const address = await newChart(LOOP);
      await setMembers(address, 'x\ny');
      expect(await report(address, 'all.a', 'x')).toBe('200');
      expect(await report(address, 'all.a', 'y', 'next')).toBe('200');
      if (isEvicted) await evict(address);
      for (const state of ['all', 'all.b']) expect(await report(address, state, 'x')).toBe('406 not-taken');
      expect(await countsOf(address)).toEqual([['all', 1, 2]]);
      expect(await report(address, 'all.b', 'y')).toBe('200');
      expect((await statusOf(address)).states).toEqual(['end']);
    },
  );

  it('counts a caller anew that has reported to that state again since', async () => {
    const address = await newChart(LOOP);
    await setMembers(address, 'x\ny');
    await report(address, 'all.a', 'x');
    for (let i = 0; i < 2; i++) await loop(address);
    // The state inside takes this one.
    expect(await report(address, 'all.a', 'x')).toBe('200');
    expect(await countsOf(address)).toEqual([['all', 1, 2]]);
    await setMembers(address, 'x');
    expect((await statusOf(address)).states).toEqual(['end']);
  });

  it('counts a caller that another state has counted, once its labels make it a caller of its own', async () => {
    const zone = (name: string) =>
      `{only: 'member.zone == "${name}"', initial: w, states: {w: {on: {update: {target: d, quorum: all}}}, d: {}}}`;
    const address = await newChart(
      `initial: fleet\nstates: {fleet: {type: parallel, states: {north: ${zone('north')}, south: ${zone('south')}}}}`,
    );
    await setMembers(address, 'x zone=north\ny zone=south\nz zone=north');
    expect(await report(address, 'fleet', 'x')).toBe('200');
    await setMembers(address, 'x zone=south\ny zone=south\nz zone=north');
    expect(await report(address, 'fleet.south.w', 'y')).toBe('200');
    expect(await countsOf(address)).toEqual([
      ['fleet.north.w', 0, 1],
      ['fleet.south.w', 1, 2],
    ]);
    expect(await report(address, 'fleet.south.w', 'x')).toBe('200');
    expect((await statusOf(address)).states).toContain('fleet.south.d');
  });

  it('names the callers that it counts: none that was struck off, or that it is not for any more', async () => {
    const only = 'only: member.zone == "eu", on: {update: {target: end, quorum: all}}';
    const address = await newChart(`initial: a\nstates: {a: {${only}}, end: {type: final}}`);
    await setMembers(address, 'x zone=eu\ny zone=eu\nz zone=eu\nw zone=eu');
    for (const by of ['x', 'y', 'z']) expect(await report(address, 'a', by)).toBe('200');
    await setMembers(address, 'x zone=eu\nz zone=us\nw zone=eu');
    expect((await statusOf(address)).quorums).toMatchObject([{ have: 1, need: 2, by: ['x'] }]);
  });
});
