/** Properties of every statechart under every series of events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Chart,
  fire,
  type NoStep,
  nameOf,
  nextDue,
  readChart,
  type Snapshot,
  type Step,
  send,
  start,
  storeSnapshot,
} from '../../../src/chart/chart.ts';
import type { Draft } from '../../../src/objects/draft.ts';
import { fireDue } from '../../../src/objects/due.ts';
import type { MachineState } from '../../../src/objects/machine-state.ts';
import { report } from '../../../src/objects/update.ts';
import type { HistoryEntry } from '../../../src/store/history-table.ts';
import { inputsOf } from '../../fuzz.ts';
import { Run, throughStorage } from '../run.ts';
import { beginTurn, nextTurn } from '../turns.ts';
import { EVENTS, type Happening, happenings, randomChart } from './random-charts.ts';

const SEED = Math.floor(Math.random() * 2 ** 31);
console.log(`statechart properties: seed ${SEED}`);
const RUNS = { seed: SEED, numRuns: inputsOf(150) };

/** The bound of timers that a run fires, so that a timer that sets itself again ends as well. */
const MOST_TIMERS = 100;

/** Reads a random chart. A chart that never ends is refused: these tests skip it. */
function read(chart: object): Chart {
  const reading = readChart(JSON.stringify(chart));
  if (
    !reading.ok &&
    reading.errors.every(({ message }) => /never ends|without end|cannot start/.test(message))
  )
    fc.pre(false);
  if (!reading.ok) throw new Error(`a random chart is wrong: ${reading.errors[0]?.message}`);
  return reading.chart;
}

/** The results of a run, step by step. */
function play(chart: Chart, list: readonly Happening[], between: (snapshot: Snapshot) => Snapshot): object[] {
  const told: object[] = [];
  let now = 0;
  let snapshot: Snapshot | undefined;
  const take = (step: Step | NoStep) => {
    if (step.ok) {
      const { snapshot: next, ...rest } = step;
      told.push({ ...rest, stored: storeSnapshot(next), timers: [...next.timers.values()] });
      snapshot = between(next);
    } else told.push(step);
    return step.ok;
  };
  take(start(chart, now));
  let fired = 0;
  for (const happening of list) {
    if (snapshot === undefined) return told;
    if ('event' in happening) {
      const active = [0, ...snapshot.active.keys()];
      const address = active[happening.to % active.length] ?? 0;
      take(send(chart, snapshot, { type: happening.event, address }, now));
      continue;
    }
    now += happening.wait;
    for (let timer = nextDue(snapshot, now); timer !== undefined && fired < MOST_TIMERS; fired += 1) {
      if (!take(fire(chart, snapshot, timer))) return told;
      timer = nextDue(snapshot, now);
    }
  }
  return told;
}

describe('a snapshot', () => {
  it('that goes to storage and back between any two events changes nothing', () => {
    let steps = 0;
    fc.assert(
      fc.property(randomChart, happenings, (data, list) => {
        const chart = read(data);
        const inMemory = play(chart, list, (snapshot) => snapshot);
        const other = read(data);
        const restarted = play(other, list, (snapshot) => throughStorage(other, snapshot));
        expect(restarted).toEqual(inMemory);
        steps += inMemory.length;
      }),
      RUNS,
    );
    console.log(`statechart properties: ${steps} steps compared`);
    expect(steps).toBeGreaterThan(RUNS.numRuns * 3);
  });

  it('is not changed by later steps', () => {
    fc.assert(
      fc.property(randomChart, happenings, (data, list) => {
        const chart = read(data);
        const seen: { snapshot: Snapshot; as: string }[] = [];
        const show = (snapshot: Snapshot) =>
          JSON.stringify([storeSnapshot(snapshot), [...snapshot.timers], [...snapshot.active]]);
        play(chart, list, (snapshot) => {
          seen.push({ snapshot, as: show(snapshot) });
          return snapshot;
        });
        for (const { snapshot, as } of seen) expect(show(snapshot)).toBe(as);
      }),
      RUNS,
    );
  });

  it('has states that can be active together: each with its parent, one child of a compound, all of a parallel', () => {
    fc.assert(
      fc.property(randomChart, happenings, (data, list) => {
        const chart = read(data);
        play(chart, list, (snapshot) => {
          expectLegal(chart, snapshot);
          return snapshot;
        });
      }),
      RUNS,
    );
  });

  it('never has a state with the warning that it cannot be reached', () => {
    fc.assert(
      fc.property(randomChart, happenings, (data, list) => {
        const reading = readChart(JSON.stringify(data));
        fc.pre(reading.ok);
        const unreachable = reading.warnings.map(({ message }) => /"(.+)"/.exec(message)?.[1]);
        play(reading.chart, list, (snapshot) => {
          const active = [...snapshot.active.keys()].map((state) => nameOf(reading.chart, state));
          expect(active.filter((name) => unreachable.includes(name))).toEqual([]);
          return snapshot;
        });
      }),
      RUNS,
    );
  });
});

function expectLegal({ model }: Chart, { active }: Snapshot): void {
  const isActive = (state: number) => state === 0 || active.has(state);
  for (const [number, { type, parent }] of model.states.entries()) {
    if (!isActive(number)) continue;
    expect(type).not.toBe('history');
    if (parent !== undefined) expect(isActive(parent)).toBe(true);
    const children = [...model.states.entries()]
      .filter(([, child]) => child.parent === number && child.type !== 'history')
      .map(([child]) => child);
    const inside = children.filter(isActive);
    if (type === 'compound') expect(inside).toHaveLength(1);
    if (type === 'parallel') expect(inside).toEqual(children);
  }
}

describe('timers', () => {
  it('that fire late have the effects of punctual ones: on states, data, timers and history', () => {
    let fired = 0;
    fc.assert(
      fc.property(randomChart, happenings, (data, list) => {
        const chart = read(data);
        const late = takeTurns(chart, list, (machine, _, to) => fireAll(machine, to));
        // Timers without an end are cut off at another place in each run.
        fc.pre(late.history.length < MOST_TIMERS);
        const punctual = takeTurns(chart, list, (machine, from, to) => {
          const turns: Draft[] = [];
          for (let now = from; now < to && now < from + 10_000; now += 250) {
            const turn = nextTurn(turns.at(-1)?.machine ?? machine);
            fireDue(turn, now);
            turns.push(turn);
          }
          return [...turns, ...fireAll(turns.at(-1)?.machine ?? machine, to)];
        });
        expect(late).toEqual(punctual);
        fired += late.history.filter(({ cause }) => cause === 'timer').length;
      }),
      RUNS,
    );
    console.log(`statechart properties: ${fired} timers fired late`);
    expect(fired).toBeGreaterThan(RUNS.numRuns / 10);
  });

  it('that are cancelled never fire, and the others fire once, at their time', () => {
    const bells = [0, 1, 2] as const;
    const DELAYS = [1_000, 2_000, 5_000] as const;
    const chart = JSON.stringify({
      initial: 'a',
      context: { rung: [] },
      states: { a: {} },
      on: Object.fromEntries(
        bells.flatMap((bell) => [
          [
            `set${bell}`,
            { actions: { raise: { event: `ring${bell}`, delay: DELAYS[bell], id: `bell${bell}` } } },
          ],
          [`cancel${bell}`, { actions: { cancel: `bell${bell}` } }],
          [`ring${bell}`, { actions: { assign: { rung: `context.rung + [${bell}]` } } }],
        ]),
      ),
    });
    const command = fc.oneof(
      fc.record({ set: fc.constantFrom(...bells) }),
      fc.record({ cancel: fc.constantFrom(...bells) }),
      fc.record({ wait: fc.constantFrom(0, 1, 999, 1_000, 1_500, 5_000) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        const run = new Run(chart);
        let now = 0;
        let waiting: { bell: number; at: number; order: number }[] = [];
        const rung: number[] = [];
        for (const [order, one] of commands.entries()) {
          if ('set' in one) {
            waiting.push({ bell: one.set, at: now + DELAYS[one.set], order });
            run.sendAll(`set${one.set}`);
          } else if ('cancel' in one) {
            waiting = waiting.filter(({ bell }) => bell !== one.cancel);
            run.sendAll(`cancel${one.cancel}`);
          } else {
            now += one.wait;
            const due = waiting
              .filter(({ at }) => at <= now)
              .sort((a, b) => a.at - b.at || a.order - b.order);
            rung.push(...due.map(({ bell }) => bell));
            waiting = waiting.filter(({ at }) => at > now);
            run.wait(one.wait);
          }
          expect(run.context).toEqual({ rung });
          expect(run.due).toEqual(waiting.map(({ at }) => at).sort((a, b) => a - b));
        }
      }),
      RUNS,
    );
  });

  it('of a state that was left never fire', () => {
    const chart = JSON.stringify({
      initial: 'a',
      context: { late: 0 },
      states: {
        a: { after: { '3s': { actions: { assign: { late: 'context.late + 1' } } } }, on: { go: 'b' } },
        b: { on: { go: 'a' } },
      },
    });
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1_000, 2_999, 3_000, 10_000)), (waits) => {
        const run = new Run(chart);
        let late = 0;
        for (const [i, wait] of waits.entries()) {
          if (i % 2 === 0 && wait >= 3_000) late += 1;
          run.wait(wait).sendAll('go');
          expect(run.context).toEqual({ late });
        }
      }),
      RUNS,
    );
  });
});

/** Timers beyond the bound of one turn fire in the next one. @returns the turns. */
function fireAll(machine: MachineState, to: number): Draft[] {
  const turns: Draft[] = [];
  const most = machine.entries + MOST_TIMERS;
  let present = machine;
  while (nextDue(present.snapshot, to) !== undefined && present.entries < most) {
    const turn = nextTurn(present);
    fireDue(turn, to);
    turns.push(turn);
    present = turn.machine;
  }
  return turns;
}

/** The present state of a machine, and its history. */
function takeTurns(
  chart: Chart,
  list: readonly Happening[],
  pass: (machine: MachineState, from: number, to: number) => Draft[],
): { readonly machine: object; readonly history: readonly HistoryEntry[] } {
  let now = 0;
  const history: HistoryEntry[] = [];
  const begun = beginTurn(chart);
  if (begun === undefined) throw new Error('a chart that was accepted does not start');
  history.push(...(begun.changes?.history ?? []));
  let { machine } = begun;
  for (const happening of list) {
    let turns: Draft[];
    if ('event' in happening) {
      const turn = nextTurn(machine);
      const active = [...machine.snapshot.active.keys()];
      const state = nameOf(chart, [0, ...active][happening.to % (active.length + 1)] ?? 0);
      report(turn, { state, event: happening.event }, now);
      turns = [turn];
    } else {
      turns = pass(machine, now, now + happening.wait);
      now += happening.wait;
    }
    for (const turn of turns) history.push(...(turn.changes?.history ?? []));
    machine = turns.at(-1)?.machine ?? machine;
  }
  return { machine: show(machine), history };
}

function show({ revision, entries, changedAt, snapshot }: MachineState): object {
  const timers = [...snapshot.timers.values()];
  return { revision, entries, changedAt, timers, stored: storeSnapshot(snapshot) };
}

describe('a quorum of N', () => {
  it('takes exactly N accepted events, whatever happens in between', () => {
    const chartWith = (quorum: number) => `
      type: parallel
      context: {open: true, noise: 0}
      states:
        counted:
          initial: a
          states:
            a:
              initial: x
              on:
                update: {target: b, quorum: ${quorum}, guard: context.open}
                again: {target: a, reenter: true}
                leave: c
              states: {x: {on: {inside: y}}, y: {on: {inside: x}}}
              after: {1h: {actions: {assign: {noise: '0'}}}}
            b: {on: {back: a}}
            c: {on: {back: a}}
        other:
          initial: d
          states: {d: {on: {update: e, toggle: {actions: {assign: {open: '!context.open'}}}}}, e: {on: {update: d}}}
          on: {'noise.*': {actions: {assign: {noise: context.noise + 1}}}}
    `;
    const event = fc.oneof(
      { weight: 4, arbitrary: fc.constant('update') },
      { weight: 3, arbitrary: fc.constantFrom('toggle', 'noise.x', 'inside', 'nobody', 'wait', 'elsewhere') },
      { weight: 1, arbitrary: fc.constantFrom('again', 'leave', 'back') },
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(event, { maxLength: 60 }), (quorum, events) => {
        const run = new Run(chartWith(quorum));
        let [where, count, open, toggles] = ['a', 0, true, true];
        for (const type of events) {
          if (type === 'wait') run.wait(1_800_000);
          else if (type === 'elsewhere') run.send('update', 'other');
          else run.send(type);
          // The other region takes updates too, and takes `toggle` in one of its states only.
          if (type === 'toggle' && toggles) open = !open;
          if (type === 'update' && where === 'a' && open) count += 1;
          if (type === 'update' || type === 'elsewhere') toggles = !toggles;
          if (type === 'again' || type === 'leave' || type === 'back') {
            if (where === 'a' && type !== 'back') count = 0;
            if (where === 'a' && type === 'leave') where = 'c';
            else if (where !== 'a' && type === 'back') where = 'a';
          }
          if (where === 'a' && count === quorum) {
            [where, count] = ['b', 0];
            taken += 1;
          }
          expect(run.active.some((name) => name === `counted.${where}`)).toBe(true);
        }
      }),
      RUNS,
    );
    expect(taken).toBeGreaterThan(RUNS.numRuns / 10);
  });

  it('is the same as N states in a row', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.array(fc.constantFrom(...EVENTS), { maxLength: 20 }),
        (quorum, events) => {
          const counted = new Run(
            `initial: a\nstates: {a: {on: {update: {target: z, quorum: ${quorum}}, fail: y}}, z: {}, y: {on: {go: a}}}`,
          );
          const row = Array.from({ length: quorum }, (_, i) => [
            `a${i}`,
            { on: { update: i + 1 === quorum ? 'z' : `a${i + 1}`, fail: 'y' } },
          ]);
          const spelledOut = new Run(
            JSON.stringify({
              initial: 'a0',
              states: { ...Object.fromEntries(row), z: {}, y: { on: { go: 'a0' } } },
            }),
          );
          for (const event of events) {
            expect(counted.send(event)).toBe(spelledOut.send(event));
            expect(counted.active).toEqual(spelledOut.active.map((name) => name.replace(/^a\d$/, 'a')));
          }
        },
      ),
      RUNS,
    );
  });
});
