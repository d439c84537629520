/** The charts of the runs. They are rings that never end, and have everything that can be lost or counted twice. */
import type { Start } from '../../src/commands.ts';
import { Random } from '../process/coordination/random.ts';
import type { Tally } from './machine.ts';

/** A chart, and what its clients know about it. */
export interface Shape {
  readonly name: string;
  /** YAML, of which JSON is a part. */
  readonly chart: string;
  /** By their names in the service's answers. */
  readonly states: readonly string[];
  /** Those of them that a caller must claim before it reports. */
  readonly slots: readonly string[];
  /** Events that are sent beside `update`. */
  readonly events: readonly string[];
  /** With which the machine begins, if a query does not begin it. */
  readonly begin?: Start;
  /** Labels of which each member has one; absent for a chart without members. */
  readonly zones?: readonly string[];
  /** Inputs that are changed while the machine runs, and their values, as text. */
  readonly inputs?: Readonly<Record<string, readonly string[]>>;
  /** What each run of it shows many times, beside what all runs show: a run without it has tested too little. */
  readonly shows: readonly (keyof Tally)[];
}

/** @param now when the run begins, ms since the epoch: a window opens or closes in the middle of it. */
export function shapeOf(seed: number, now: number): Shape {
  const random = new Random(seed);
  const make = [ring, regions, retreat, fleet, nights][seed % 5] ?? ring;
  return make(random, now);
}

/** A ring of states, each left by a quorum or by a timer; one of them has slots. */
function ring(random: Random): Shape {
  const names = ['drain', 'patch', 'reboot', 'verify'];
  const states = names.map((name, i) => {
    const next = names[(i + 1) % names.length];
    const slots = name === 'patch' ? { slots: 2, lease: '1s' } : {};
    // Long enough for a lease to end in a state with slots.
    const after = whole(random, name === 'patch' ? 1_100 : 80, name === 'patch' ? 1_500 : 250);
    const update = { target: next, quorum: whole(random, 3, name === 'patch' ? 8 : 60) };
    return [name, { ...slots, on: { update }, after: { [`${after}ms`]: next } }];
  });
  const chart = { initial: names[0], states: Object.fromEntries(states) };
  return {
    name: 'ring',
    chart: JSON.stringify(chart),
    states: names,
    slots: ['patch'],
    events: [],
    shows: ['repeated', 'data'],
  };
}

/** Two parallel regions, each a ring with a timer of its own. */
function regions(random: Random): Shape {
  const region = (isGuarded: boolean) => ({
    initial: 'drain',
    states: {
      drain: {
        on: { update: { target: 'patch', quorum: whole(random, 3, 20) } },
        after: { [`${whole(random, 100, 500)}ms`]: 'patch' },
      },
      patch: {
        ...(isGuarded ? { slots: whole(random, 1, 3), lease: '1s' } : {}),
        on: {
          update: { target: 'drain', quorum: whole(random, isGuarded ? 6 : 2, 15) },
          ...(isGuarded ? {} : { stop: 'drain' }),
        },
        after: { [`${whole(random, isGuarded ? 1_200 : 100, isGuarded ? 2_000 : 400)}ms`]: 'drain' },
      },
    },
  });
  const chart = {
    initial: 'rollout',
    states: { rollout: { type: 'parallel', states: { eu: region(true), us: region(false) } } },
  };
  return {
    name: 'regions',
    chart: JSON.stringify(chart),
    states: ['rollout.eu.drain', 'rollout.eu.patch', 'rollout.us.drain', 'rollout.us.patch'],
    slots: ['rollout.eu.patch'],
    events: ['stop'],
    shows: ['repeated', 'timers'],
  };
}

/**
 * Work that fails after some failures, which are counted in the context, or after one that its data call bad, and begins
 * again after a while.
 */
function retreat(random: Random): Shape {
  const failed = 'context.failed';
  const fail = [
    { target: 'rollback', guard: `${failed} >= ${whole(random, 2, 4)}` },
    { target: 'rollback', guard: 'has(event.data) && event.data.n >= 95' },
    { actions: [{ assign: { failed: `${failed} + 1` } }] },
  ];
  const chart = {
    initial: 'canary',
    context: { failed: 0 },
    states: {
      canary: {
        on: { update: { target: 'fleet', quorum: whole(random, 5, 25) }, fail },
        after: { [`${whole(random, 400, 800)}ms`]: 'fleet' },
      },
      fleet: {
        slots: whole(random, 1, 3),
        lease: '1s',
        on: { update: { target: 'canary', quorum: whole(random, 6, 20) }, fail },
        after: { [`${whole(random, 1_050, 1_500)}ms`]: 'rollback' },
      },
      rollback: {
        entry: [{ assign: { failed: '0' } }],
        after: { [`${whole(random, 100, 400)}ms`]: 'canary' },
      },
    },
  };
  return {
    name: 'retreat',
    chart: JSON.stringify(chart),
    states: ['canary', 'fleet', 'rollback'],
    slots: ['fleet'],
    events: ['fail'],
    shows: ['repeated', 'data'],
  };
}

/** Members in two zones, a state for each, shares of them, a budget of failures around both, and a pace. */
function fleet(random: Random): Shape {
  const zone = (name: string, work: object, after: number) => ({
    only: `member.zone == "${name}"`,
    initial: 'work',
    states: {
      work: { ...work, after: { [`${after}ms`]: 'rest' } },
      rest: { after: { [`${whole(random, 200, 400)}ms`]: 'work' } },
    },
  });
  const slots = { slots: 'inputs.batch', lease: '1s', cooldown: '1s' };
  const update = { target: 'rest', quorum: 'inputs.enough' };
  const states = {
    north: zone('north', { ...slots, on: { update } }, whole(random, 2_500, 3_500)),
    south: zone('south', { on: { update } }, whole(random, 1_000, 2_000)),
  };
  const fail = { target: 'rollback', quorum: `${whole(random, 20, 40)}%` };
  const chart = {
    initial: 'rollout',
    inputs: { batch: null, enough: '60%' },
    states: {
      rollout: { type: 'parallel', on: { fail }, states },
      rollback: {
        on: { update: { target: 'rollout', quorum: 'all' } },
        after: { [`${whole(random, 300, 600)}ms`]: 'rollout' },
      },
    },
  };
  return {
    name: 'fleet',
    chart: JSON.stringify(chart),
    states: ['rollout', 'rollout.north.work', 'rollout.south.work', 'rollback'],
    slots: ['rollout.north.work'],
    events: ['fail'],
    begin: { type: 'start', inputs: { batch: '3' } },
    zones: ['north', 'south'],
    inputs: { batch: ['1', '2', '4', '30%'], enough: ['60%', '5%', '3'] },
    shows: ['repeated', 'strangers', 'turnedAway'],
  };
}

/** Work that may be begun in every other minute only, and work that may be begun at any time, at a pace. */
function nights(random: Random, now: number): Shape {
  // It closes some seconds after the beginning, or opens with the next minute.
  const second = Math.floor(now / 1_000) % 60;
  const closesAt = second + whole(random, 5, 8);
  const isOpen = closesAt < 60;
  const isOdd = (Math.floor(now / 60_000) % 2 === 1) === isOpen;
  const window = {
    cron: isOdd ? '1-59/2 * * * *' : '*/2 * * * *',
    for: '1m',
    cutoff: `${isOpen ? 60 - closesAt : 1}s`,
  };
  const chart = {
    initial: 'patch',
    states: {
      patch: {
        window,
        slots: 2,
        lease: '1s',
        on: { update: { target: 'verify', quorum: whole(random, 3, 6) } },
        after: { [`${whole(random, 1_100, 1_500)}ms`]: 'verify' },
      },
      verify: {
        slots: 3,
        lease: '1s',
        cooldown: '1s',
        on: { update: { target: 'patch', quorum: whole(random, 6, 9) } },
        after: { [`${whole(random, 1_500, 2_500)}ms`]: 'patch' },
      },
    },
  };
  return {
    name: 'nights',
    chart: JSON.stringify(chart),
    states: ['patch', 'verify'],
    slots: ['patch', 'verify'],
    events: [],
    shows: ['cooled'],
  };
}

/** A whole number from `least` to `most`. */
function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random.below(most - least + 1));
}
