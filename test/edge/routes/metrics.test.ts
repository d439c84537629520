/** `{machine}/metrics`, as a real parser reads it. */
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../../charts.ts';
import { beginAtNoon, NOON } from '../../noon.ts';
import { claim, put, waitFor } from '../../objects/callers.ts';
import { openSocket } from '../../objects/sockets.ts';
import { ask, evict, report, send } from '../../service.ts';
import { readSeries, written } from './series.ts';

const CHART = `
initial: work
states:
  work: {slots: 3, on: {update: {target: rest, quorum: 2}, skip: rest}}
  rest: {initial: in, states: {in: {}, h: {type: history}}, on: {update: work}}
`;

beginAtNoon();

/** Every series by its name and its labels beside `machine`: `stateservice_state{state="work"}`. */
async function seriesOf(address: string): Promise<Record<string, number>> {
  const series: Record<string, number> = {};
  for (const one of await readSeries(await send('GET', `/${address}/metrics`))) {
    const { machine, ...labels } = one.labels;
    expect(machine).toBe(address);
    series[written({ ...one, labels })] = one.value;
  }
  return series;
}

describe('metrics', () => {
  it('have whether each current state with windows is open', async () => {
    const chart = CHART.replace('slots: 3', 'window: {cron: 0 12 * * *, for: 1h}');
    const address = await newChart(chart);
    expect(await seriesOf(address)).toMatchObject({ 'open{state=work}': 1 });
    vi.setSystemTime(NOON + 3_600_000);
    expect(await seriesOf(address)).toMatchObject({ 'open{state=work}': 0 });
    await put(address, 'work', { event: 'skip' });
    expect(await seriesOf(address)).not.toHaveProperty('open{state=work}');
  });

  it('have every state, and for how long it has been current', async () => {
    const address = await newChart(CHART);
    await ask(address, 'work');
    vi.setSystemTime(NOON + 90_000);
    expect(await seriesOf(address)).toMatchObject({
      'state{state=work}': 1,
      'state{state=rest}': 0,
      'state{state=rest.in}': 0,
      'state_seconds{state=work}': 90,
      'done{}': 0,
      'revision{}': 1,
    });
    expect(await seriesOf(address)).not.toHaveProperty('state{state=rest.h}');
    await claim(address, 'work', 'a');
    await put(address, 'work', { by: 'a', event: 'skip' });
    const moved = await seriesOf(address);
    expect(moved).toMatchObject({
      'state{state=work}': 0,
      'state{state=rest.in}': 1,
      'state_seconds{state=rest}': 0,
    });
    expect(moved).not.toHaveProperty('state_seconds{state=work}');
  });

  it('count reports by their outcome, and transitions', async () => {
    const address = await newChart(sequence(counting('a', 'b', 2), final('b')));
    for (let i = 0; i < 3; i++) await report(address, 'a');
    await report(address, 'b');
    expect(await seriesOf(address)).toMatchObject({
      'updates_total{answer=accepted}': 2,
      'updates_total{answer=cannot-come}': 1,
      'updates_total{answer=final-state}': 1,
      'transitions_total{}': 2,
      'done{}': 1,
    });
  });

  it('are stored with the machine, refusals with the next change', async () => {
    const address = await newChart(sequence(counting('a', 'b', 3), final('b')));
    await report(address, 'a');
    await report(address, 'b');
    await report(address, 'a');
    await report(address, 'b');
    await evict(address);
    expect(await seriesOf(address)).toMatchObject({
      'updates_total{answer=accepted}': 2,
      'updates_total{answer=not-current}': 1,
      'transitions_total{}': 1,
    });
    await report(address, 'a');
    await evict(address);
    expect(await seriesOf(address)).toMatchObject({
      'updates_total{answer=accepted}': 3,
      'updates_total{answer=not-current}': 1,
      'transitions_total{}': 2,
      'done{}': 1,
      'revision{}': 4,
    });
  });

  it('lose the repeats since the last change, which their help says', async () => {
    const address = await newChart(sequence(counting('a', 'b', 3), final('b')));
    for (let i = 0; i < 3; i++) await put(address, 'a', { by: 'w' });
    expect(await seriesOf(address)).toMatchObject({ 'updates_total{answer=accepted}': 3 });
    await evict(address);
    expect(await seriesOf(address)).toMatchObject({ 'updates_total{answer=accepted}': 1 });
    const text = await (await send('GET', `/${address}/metrics`)).text();
    expect(text).toMatch(/# HELP stateservice_updates_total .* Refusals and repeats .* are lost/);
  });

  it('count each report of a batch once, and begin at 0 with a new machine', async () => {
    const address = await newChart(sequence(counting('a', 'b', 50), final('b')));
    await Promise.all(Array.from({ length: 20 }, () => report(address, 'a')));
    await evict(address);
    expect(await seriesOf(address)).toMatchObject({ 'updates_total{answer=accepted}': 20 });
    await send('DELETE', `/${address}`);
    expect(await seriesOf(address)).toMatchObject({ 'transitions_total{}': 1 });
    expect(await seriesOf(address)).not.toHaveProperty('updates_total{answer=accepted}');
  });

  it('have no counts of a run that was deleted', async () => {
    const address = `${await newChart(sequence(counting('a', 'b', 50), final('b')))}@1`;
    await report(address, 'a');
    await send('DELETE', `/${address}`);
    expect(await seriesOf(address)).toMatchObject({ 'revision{}': 0, 'transitions_total{}': 0 });
    expect(await seriesOf(address)).not.toHaveProperty('updates_total{answer=accepted}');
  });

  it('have claims, counts, waits and watches', async () => {
    const address = await newChart(CHART);
    await claim(address, 'work', 'a');
    await claim(address, 'work', 'b');
    await put(address, 'work', { by: 'a' });
    const socket = await openSocket(address);
    const waiting = waitFor(address, 'rest', '60s');
    await vi.waitFor(async () => expect((await seriesOf(address))['waiters{}']).toBe(1));
    expect(await seriesOf(address)).toMatchObject({
      'claims{state=work}': 1,
      'slots{state=work}': 3,
      'quorum{state=work,event=update}': 1,
      'quorum_needed{state=work,event=update}': 2,
      'watchers{kind=stream}': 0,
      'watchers{kind=websocket}': 1,
    });
    await put(address, 'work', { by: 'b' });
    expect((await waiting).status).toBe(200);
    socket.close();
    expect((await seriesOf(address))['waiters{}']).toBe(0);
  });

  it('escape any name', async () => {
    const name = 'a "quoted" \\ name\nof two lines';
    const address = await newChart(sequence(final(name)));
    const text = await (await send('GET', `/${address}/metrics`)).text();
    expect(text).toContain(`state="a \\"quoted\\" \\\\ name\\nof two lines"} 1\n`);
    expect(Object.keys(await seriesOf(address))[0]).toContain('a "quoted"');
  });

  it('are 404 without a chart', async () => {
    expect((await send('GET', `/${newAddress()}/metrics`)).status).toBe(404);
  });
});
