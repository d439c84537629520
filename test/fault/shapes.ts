/** The charts of the runs. They are rings that never end, and have everything that can be lost or counted twice. */
import type { Start } from '../../src/commands.ts';
import { Random } from '../process/coordination/random.ts';
import type { Tally } from './machine.ts';

/** The hooks that the charts name. */
export const HOOKS = ['OPS', 'AUDIT'] as const;
export type Hook = (typeof HOOKS)[number];

/** A chart, and what its clients know about it. */
export interface Shape {
  readonly name: string;
  /**
   * How the service runs: as one server; as one that is restarted with the last release, and back, after each kill; or as
   * edges that are away from the objects.
   */
  readonly runs: 'alone' | 'deploys' | 'edges';
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
  /** The chart's `notify`. */
  readonly notify?: readonly { readonly on: readonly string[]; readonly to: Hook }[];
  /** What each run of it shows many times, beside what all runs show: a run without it has tested too little. */
  readonly shows: readonly (keyof Tally)[];
}

/** @param now when the run begins, ms since the epoch: a window opens or closes in the middle of it. */
export function shapeOf(seed: number, now: number): Shape {
  const random = new Random(seed);
  const make = [...ALONE, deploys, edges][seed % SHAPES] ?? ring;
  return make(random, now);
}

/** What a run of any chart shows, if the clients send all that there is. */
const SENT = ['repeated', 'pauses', 'overrides', 'links'] as const;

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
  const chart = { initial: names[0], states: Object.fromEntries(states), ...notifying(names) };
  return {
    name: 'ring',
    runs: 'alone',
    chart: JSON.stringify(chart),
    states: names,
    slots: ['patch'],
    events: [],
    ...notifying(names),
    shows: [...SENT, 'data'],
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
  const names = ['rollout.eu.drain', 'rollout.eu.patch', 'rollout.us.drain', 'rollout.us.patch'];
  const chart = {
    initial: 'rollout',
    states: { rollout: { type: 'parallel', states: { eu: region(true), us: region(false) } } },
    ...notifying(names),
  };
  return {
    name: 'regions',
    runs: 'alone',
    chart: JSON.stringify(chart),
    states: names,
    slots: ['rollout.eu.patch'],
    events: ['stop'],
    ...notifying(names),
    shows: [...SENT, 'timers'],
  };
}

/**
 * Work that fails after some failures, which are counted in the context, or after one that its data call bad, and begins
 * again after a while.
 */
function retreat(random: Random): Shape {
  const names = ['canary', 'fleet', 'rollback'];
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
    ...notifying(names),
  };
  return {
    name: 'retreat',
    runs: 'alone',
    chart: JSON.stringify(chart),
    states: names,
    slots: ['fleet'],
    events: ['fail'],
    ...notifying(names),
    shows: [...SENT, 'data'],
  };
}

/** Members in two zones, a state for each, shares of them, a budget of failures around both, and a pace. */
function fleet(random: Random): Shape {
  const names = ['rollout', 'rollout.north.work', 'rollout.south.work', 'rollback'];
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
    ...notifying(names),
  };
  return {
    name: 'fleet',
    runs: 'alone',
    chart: JSON.stringify(chart),
    states: names,
    slots: ['rollout.north.work'],
    events: ['fail'],
    begin: { type: 'start', inputs: { batch: '3' } },
    zones: ['north', 'south'],
    inputs: { batch: ['1', '2', '4', '30%'], enough: ['60%', '5%', '3'] },
    ...notifying(names),
    shows: [...SENT, 'strangers', 'turnedAway'],
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
  const names = ['patch', 'verify'];
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
    ...notifying(names),
  };
  return {
    name: 'nights',
    runs: 'alone',
    chart: JSON.stringify(chart),
    states: names,
    slots: names,
    events: [],
    ...notifying(names),
    shows: ['pauses', 'overrides', 'cooled'],
  };
}

/** A chart that the last release knows: its clients send only what that knows. */
function deploys(random: Random, now: number): Shape {
  const { notify: _, ...shape } = pick<Make>(random, [ring, regions, retreat])(random, now);
  const { notify: __, ...chart } = JSON.parse(shape.chart);
  return {
    ...shape,
    name: `deploys of ${shape.name}`,
    runs: 'deploys',
    chart: JSON.stringify(chart),
    shows: ['repeated'],
  };
}

/** Any chart; nobody is told of it. */
function edges(random: Random, now: number): Shape {
  const { notify: _, ...shape } = pick(random, ALONE)(random, now);
  const { notify: __, ...chart } = JSON.parse(shape.chart);
  return { ...shape, name: `edges of ${shape.name}`, runs: 'edges', chart: JSON.stringify(chart) };
}

type Make = (random: Random, now: number) => Shape;

const ALONE: readonly [Make, ...Make[]] = [ring, regions, retreat, fleet, nights];

/** How many kinds of shapes there are: they take turns by the seed. */
export const SHAPES = ALONE.length + 2;

function pick<Item>(random: Random, items: readonly [Item, ...Item[]]): Item {
  return items[Math.floor(random.below(items.length))] ?? items[0];
}

/** Tells one hook of some of the states, and the other one of the others and of what operators do. */
function notifying(states: readonly string[]): Pick<Required<Shape>, 'notify'> {
  const [first = '', ...others] = states;
  return {
    notify: [
      { on: [first], to: 'OPS' },
      { on: [...others.slice(0, 2), 'paused', 'overridden'], to: 'AUDIT' },
    ],
  };
}

/** A whole number from `least` to `most`. */
function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random.below(most - least + 1));
}
