/** The timers of a machine that was put back to a moment of a pause. */
import { expect, it } from 'vitest';
import { fireDue } from '../../src/objects/due.ts';
import { pause } from '../../src/objects/pausing.ts';
import { finishRestore } from '../../src/objects/recovery.ts';
import { chartOf } from '../chart/run.ts';
import { beginTurn, nextTurn } from '../chart/turns.ts';

it.each([
  ['has passed', 3_000],
  ['is to come', 30_000],
])('go on with what was left of them, where the end of the pause %s', (_, until) => {
  const chart = chartOf('initial: work\nstates: {work: {after: {60s: late}}, late: {type: final}}');
  const paused = nextTurn(beginTurn(chart).machine);
  pause(paused, { type: 'pause', until }, 1_000);
  const restored = nextTurn(paused.machine);
  const note = { id: '', machine: 'a/b', at: 2_000, revision: 9, entries: 9, states: ['late'], present: '' };
  finishRestore(restored, { ...note, by: null, sub: null }, 10_000);
  fireDue(restored, 40_000);
  const resumed = Math.max(until, 10_000);
  expect([...restored.machine.snapshot.timers.values()]).toMatchObject([{ at: resumed + 59_000 }]);
});
