/** A simulated chart goes where a machine goes that is sent the same over HTTP. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { CHART_TIMERS } from '../../src/chart-limits.ts';
import { Simulation } from '../../src/cli/simulation.ts';
import { newChart } from '../charts.ts';
import { put } from '../objects/callers.ts';
import { type StatusDocument, statusOf } from '../service.ts';

const texts = import.meta.glob('../../charts/acme/*.yaml', { query: '?raw', import: 'default', eager: true });

// Far ahead of the platform's own clock, so that no alarm goes off by itself; and before the window of the reboots.
const START = Date.parse('2040-06-01T12:00:00Z');
const MINUTE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A step: an event and the state that it is sent to, or minutes that pass. */
type Step = readonly [event: string, state: string] | number;

const PLAYS: readonly [chart: string, steps: readonly Step[], end: string][] = [
  [
    'release',
    [
      ['update', 'canary'],
      ['update', 'canary'],
    ],
    '',
  ],
  [
    'canary',
    [
      ['update', 'canary'],
      ['fail', 'canary'],
      ['update', 'canary'],
      ['update', 'fleet'],
      ['update', 'canary'],
      10,
      30,
      ...Array.from({ length: 9 }, (): Step => ['update', 'fleet']),
      ['update', 'fleet'],
    ],
    'released',
  ],
  [
    'canary',
    [
      ['fail', 'canary'],
      119,
      ['fail', 'canary'],
      ...Array.from({ length: 12 }, (): Step => ['update', 'rollback']),
    ],
    'rolled_back',
  ],
  ['canary', [121, ['update', 'rollback']], ''],
  [
    'regions',
    [
      ['update', 'rollout.eu.drain'],
      ['update', 'rollout.us.drain'],
      ['update', 'rollout.eu.deploy'],
      ['update', 'drain'],
      ['update', 'rollout.eu.deploy'],
      ['update', 'rollout.us.deploy'],
      ['update', 'rollout.us.deploy'],
    ],
    'released',
  ],
  ['regions', [['abort', 'rollout.us.drain']], 'aborted'],
  [
    'approval',
    [
      ['update', 'build'],
      ['approve', 'waiting'],
      ['approve', 'waiting'],
      ['update', 'deploy'],
    ],
    'deployed',
  ],
  [
    'approval',
    [
      ['update', 'build'],
      ['reject', 'waiting'],
      ['approve', 'waiting'],
    ],
    'rejected',
  ],
  ['approval', [['update', 'build'], 1_439, ['approve', 'waiting'], 1], 'expired'],
  ['reboot', [1, 2], ''],
];

describe.each(PLAYS)('%s, simulated', (name, steps, end) => {
  it(`goes where the machine goes${end === '' ? '' : `, to ${end}`}: ${JSON.stringify(steps)}`, async () => {
    const text = Object.entries(texts).find(([path]) => path.endsWith(`/${name}.yaml`))?.[1] ?? '';
    vi.setSystemTime(START);
    const address = await newChart(text);
    const reading = readChart(text);
    if (!reading.ok) throw new Error('the example is wrong');
    const simulation = new Simulation(reading.chart, START);
    expect(viewOf(simulation)).toEqual(viewOfStatus(await statusOf(address)));
    for (const step of steps) {
      if (typeof step === 'number') {
        vi.setSystemTime(Date.now() + step * MINUTE);
        simulation.pass(step * MINUTE);
      } else {
        const [event, state] = step;
        const { status } = await put(address, state, { event });
        expect(simulation.send(event, state).ok).toBe(status === 200);
      }
      expect(viewOf(simulation)).toEqual(viewOfStatus(await statusOf(address)));
    }
    if (end !== '') expect(simulation.states).toEqual([end]);
    if (end !== '') expect(simulation.isDone).toBe(true);
  });
});

it('tells at most 20 openings and closings of a step', () => {
  const reading = readChart('initial: a\nstates: {a: {window: {cron: 0 * * * *, for: 10m}}}\n');
  if (!reading.ok) throw new Error('the chart is wrong');
  const played = new Simulation(reading.chart, START).pass(365 * 24 * 60 * MINUTE);
  expect(played.ok && played.changes).toHaveLength(20);
});

function viewOf(simulation: Simulation) {
  const { states, counts, isDone, now } = simulation;
  const due = simulation.timers(CHART_TIMERS).map(({ at }) => new Date(at).toISOString());
  return { states, counts, timers: due, status: isDone ? 'done' : 'active', now };
}

function viewOfStatus({ states, quorums, timers, status }: StatusDocument) {
  const counts = quorums.map(({ state, event, have, need }) => ({ state, event, have, need }));
  return { states, counts, timers: timers.map(({ at }) => at), status, now: Date.now() };
}

it('says which hooks would be told of each step, and of which states', () => {
  const reading = readChart(`
initial: a
notify: [{on: [b, c], to: OPS}, {on: c, to: CHAT}]
states: {a: {on: {update: b}}, b: {after: {1m: c}}, c: {}}
`);
  if (!reading.ok) throw new Error('the chart is not valid');
  const simulation = new Simulation(reading.chart, START);
  expect(simulation.told).toEqual([]);
  simulation.send();
  expect(simulation.told).toEqual([{ to: 'OPS', entered: ['b'] }]);
  simulation.pass(MINUTE);
  expect(simulation.told).toEqual([
    { to: 'OPS', entered: ['c'] },
    { to: 'CHAT', entered: ['c'] },
  ]);
  simulation.pass(MINUTE);
  expect(simulation.told).toEqual([]);
});

it('removes a timer whose event fails, as a machine does, and says why', async () => {
  const text = `
initial: a
notify: [{on: refused, to: OPS}]
states: {a: {after: {1m: {target: b, actions: [{assign: {errors: event.data.errors}}]}}, on: {update: b}}, b: {}}
`;
  vi.setSystemTime(START);
  const address = await newChart(text);
  const reading = readChart(text);
  if (!reading.ok) throw new Error('the chart is not valid');
  const simulation = new Simulation(reading.chart, START);
  expect(viewOf(simulation)).toEqual(viewOfStatus(await statusOf(address)));
  vi.setSystemTime(START + 2 * MINUTE);
  expect(simulation.pass(2 * MINUTE)).toEqual({
    ok: false,
    detail: 'the timer of 2040-06-01T12:01:00.000Z: assign event.data.errors: No such key: data',
  });
  expect(simulation.told).toEqual([{ to: 'OPS', entered: [] }]);
  expect(viewOf(simulation)).toEqual(viewOfStatus(await statusOf(address)));
  expect(simulation.send()).toEqual({ ok: true });
});
