/** How often a status looks for a newer chart: each look is a request to the assets, or to the chart's machine. */
import { describe, expect, it, vi } from 'vitest';
import { Machine } from '../../src/index.ts';
import { NEWEST_FOR } from '../../src/objects/chart-source.ts';
import { overloaded } from '../../src/objects/faults.ts';
import { final, newAddress, newChart, putChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { report, statusOf } from '../service.ts';
import { reset, upload } from './callers.ts';
import { callsOn, nameOf } from './spies.ts';

const first = 'initial: a\nstates: {a: {on: {update: b}}, b: {}}';
const other = sequence(final('x'));

beginAtNoon();

describe('a status', () => {
  it('says `newer` of a deployed chart when it has looked again, and not before', async () => {
    const address = await newChart(first);
    await report(address, 'a');
    await putChart(address, other);
    vi.setSystemTime(NOON + NEWEST_FOR - 1);
    expect((await statusOf(address)).chart.newer).toBe(false);
    vi.setSystemTime(NOON + NEWEST_FOR);
    expect((await statusOf(address)).chart.newer).toBe(true);
  });

  it('looks again if the clock was set back', async () => {
    const address = await newChart(first);
    await report(address, 'a');
    await putChart(address, other);
    vi.setSystemTime(NOON - 1);
    expect((await statusOf(address)).chart.newer).toBe(true);
  });

  it('of a run asks the machine of its chart once in that time', async () => {
    const base = newAddress();
    await upload(base, first);
    await report(`${base}@one`, 'a');
    const read = vi.spyOn(Machine.prototype, 'read');
    for (let i = 0; i < 10; i++) await statusOf(`${base}@one`);
    expect([callsOn(read, `${base}@one`), callsOn(read, base)]).toEqual([10, 0]);
    vi.setSystemTime(NOON + NEWEST_FOR);
    for (let i = 0; i < 10; i++) await statusOf(`${base}@one`);
    expect([callsOn(read, `${base}@one`), callsOn(read, base)]).toEqual([20, 1]);
    read.mockRestore();
  });

  it('knows at once of a chart that was uploaded to its own address, and of a reset', async () => {
    const address = await newChart(first);
    await report(address, 'a');
    expect((await upload(address, other, '?reset=true')).status).toBe(200);
    expect((await statusOf(address)).chart).toMatchObject({ source: 'upload', newer: false });
    const run = await newChart(first);
    await report(run, 'a');
    await putChart(run, other);
    await reset(run);
    expect((await statusOf(run)).chart.newer).toBe(false);
  });

  it('of a run is answered also while the machine of its chart is not', async () => {
    const base = newAddress();
    await upload(base, first);
    await report(`${base}@one`, 'a');
    const { read } = Machine.prototype;
    const spy = vi.spyOn(Machine.prototype, 'read').mockImplementation(function (this: Machine, queries) {
      return nameOf(this) === base
        ? Promise.resolve(queries.map(() => overloaded()))
        : read.call(this, queries);
    });
    vi.setSystemTime(NOON + NEWEST_FOR);
    for (let i = 0; i < 3; i++) {
      const { states, chart } = await statusOf(`${base}@one`);
      expect([states, chart.newer]).toEqual([['b'], false]);
    }
    // It looks no more often than before.
    expect(callsOn(spy, base)).toBe(1);
    spy.mockRestore();
    await upload(base, other, '?reset=true');
    vi.setSystemTime(NOON + 2 * NEWEST_FOR);
    expect((await statusOf(`${base}@one`)).chart.newer).toBe(true);
  });
});
