/** The charts of the runs. They are rings that never end, and have everything that can be lost or counted twice. */
import { Random } from '../process/coordination/random.ts';

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
}

/** @returns the chart of a seed. */
export function shapeOf(seed: number): Shape {
  const random = new Random(seed);
  const make = [ring, regions, retreat][seed % 3] ?? ring;
  return make(random);
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
  return { name: 'ring', chart: JSON.stringify(chart), states: names, slots: ['patch'], events: [] };
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
      canary: { on: { update: { target: 'fleet', quorum: whole(random, 5, 25) }, fail } },
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
  };
}

/** A whole number from `least` to `most`. */
function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random.below(most - least + 1));
}
