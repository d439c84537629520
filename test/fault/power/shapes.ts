/** The charts of the machines. They have no timers: what happened after a power cut does not depend on how long it took. */
import type { Shape } from '../shapes.ts';

/** A ring of states with a quorum each; one has slots. */
const RING: Shape = {
  name: 'ring',
  runs: 'alone',
  chart: JSON.stringify({
    initial: 'drain',
    states: {
      drain: { on: { update: { target: 'patch', quorum: 40 } } },
      patch: { slots: 2, lease: '1h', on: { update: { target: 'drain', quorum: 4 } } },
    },
  }),
  states: ['drain', 'patch'],
  slots: ['patch'],
  events: [],
  shows: [],
};

/** Failures are counted in the context, and their data decide. */
const RETREAT: Shape = {
  name: 'retreat',
  runs: 'alone',
  chart: JSON.stringify({
    initial: 'canary',
    context: { failed: 0, last: 0 },
    states: {
      canary: {
        on: {
          update: { target: 'fleet', quorum: 25 },
          fail: [
            { target: 'fleet', guard: 'context.failed >= 3' },
            {
              actions: [
                { assign: { failed: 'context.failed + 1', last: 'has(event.data) ? event.data.n : 0' } },
              ],
            },
          ],
        },
      },
      fleet: { entry: [{ assign: { failed: '0' } }], on: { update: { target: 'canary', quorum: 12 } } },
    },
  }),
  states: ['canary', 'fleet'],
  slots: [],
  events: ['fail'],
  shows: [],
};

/** By the machine's name. */
export const SHAPES: Readonly<Record<string, Shape>> = { early: RING, late: RETREAT };
