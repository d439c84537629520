/** What a change of members does to the quorums of a running chart. */
import { describe, expect, it } from 'vitest';
import {
  type Chart,
  countedBy,
  type Members,
  nameOf,
  quorums,
  recount,
  type Snapshot,
  send,
  start,
} from '../../src/chart/chart.ts';
import type { Scalar } from '../../src/chart/terms.ts';
import { openText } from './walk.ts';

const NOW = Date.parse('2026-12-01T02:00:00Z');
const ENOUGH = 1_000_000;

function membersOf(names: string): Members {
  return new Map(
    names
      .split(' ')
      .filter((name) => name !== '')
      .map((name) => [name, { zone: name.startsWith('eu') ? 'eu' : 'us' }]),
  );
}

/** A run with the reports that it has counted, as an object keeps them. */
class Run {
  readonly chart: Chart;
  snapshot: Snapshot;
  readonly #counted: { key: string; by: string; began: number }[] = [];

  constructor(text: string, members?: Members, inputs: Readonly<Record<string, Scalar>> = {}) {
    this.chart = openText(text);
    const step = start(this.chart, NOW, { inputs, members });
    if (!step.ok) throw new Error(step.detail);
    this.snapshot = step.snapshot;
  }

  /** Reports to a state for each caller. */
  report(state: string, callers: string, event = 'update'): this {
    const found = this.chart.names.find(state);
    if (!found?.ok) throw new Error(`there is no state ${state}`);
    for (const by of callers.split(' ')) {
      const step = send(this.chart, this.snapshot, { type: event, address: found.state, by }, NOW);
      if (!step.ok) continue;
      for (const key of countedBy(this.chart, this.snapshot, step.snapshot)) {
        this.#counted.push({ key, by, began: this.snapshot.visits });
      }
      this.snapshot = step.snapshot;
    }
    return this;
  }

  /** Changes the members; says which quorums that has met, and how each step ended. */
  change(members: Members | undefined, inputs = this.snapshot.terms.inputs): string[] {
    const { snapshot, met } = recount(
      this.chart,
      this.snapshot,
      { inputs, members },
      (key, since) =>
        this.#counted.flatMap((report) => (report.key === key && report.began >= since ? [report.by] : [])),
      NOW,
      ENOUGH,
    );
    this.snapshot = snapshot;
    return met.map(({ state, event, have, need, step }) => {
      if (step.ok) this.snapshot = step.snapshot;
      return `${event} at ${nameOf(this.chart, state)}: ${have} of ${need}${step.ok ? '' : `, ${step.reason}`}`;
    });
  }

  get states(): string {
    return [...this.snapshot.active.keys()].map((state) => nameOf(this.chart, state)).join(' ');
  }

  get counts(): string {
    return quorums(this.chart, this.snapshot)
      .map(({ have, until }) => `${have}/${until}`)
      .join(' ');
  }
}

const all = `initial: work
states:
  work: {on: {update: {target: end, quorum: all}, fail: {target: back, quorum: 50%}}}
  end: {type: final}
  back: {type: final}
`;

describe('a change of members', () => {
  it('takes the transition of a quorum that it meets', () => {
    const run = new Run(all, membersOf('a b c')).report('work', 'a b');
    expect(run.change(membersOf('a b'))).toEqual(['update at work: 2 of 2']);
    expect(run.states).toBe('end');
  });

  it('takes it where fewer are needed than have reported', () => {
    const run = new Run(all.replace('all', '60%'), membersOf('a b c d e')).report('work', 'a b');
    expect(run.counts).toBe('2/3 0/3');
    expect(run.change(membersOf('a b c'))).toEqual(['update at work: 2 of 2']);
  });

  it('counts only members: a report of one that was replaced counts no more, and its successor is missing', () => {
    const run = new Run(all, membersOf('a b')).report('work', 'a');
    expect(run.change(membersOf('b c'))).toEqual([]);
    expect(run.counts).toBe('0/2 0/1');
    run.report('work', 'b');
    expect(run.counts).toBe('1/2 0/1');
    expect(run.report('work', 'c').states).toBe('end');
  });

  it('counts a report again where its caller comes back', () => {
    const run = new Run(all, membersOf('a b')).report('work', 'a');
    run.change(membersOf('b'));
    expect(run.change(membersOf('a b'))).toEqual([]);
    expect(run.counts).toBe('1/2 0/1');
  });

  it('never meets a quorum where nobody is left', () => {
    const run = new Run(all, membersOf('a b')).report('work', 'a');
    expect(run.change(membersOf(''))).toEqual([]);
    expect(run.counts).toBe('0/1 0/1');
  });

  it('never meets a quorum where `only` leaves nobody', () => {
    const text = all.replace('work: {', `work: {only: 'member.zone == "eu"', `);
    const run = new Run(text, membersOf('eu1 us1')).report('work', 'us1');
    expect(run.change(membersOf('us1'))).toEqual([]);
    expect(run.counts).toBe('0/1 0/1');
  });

  it('counts the members that the state is for', () => {
    const text = all.replace('work: {', `work: {only: 'member.zone == "eu"', `);
    const run = new Run(text, membersOf('eu1 eu2 us1')).report('work', 'eu1');
    expect(run.change(membersOf('eu1 us1 us2'))).toEqual(['update at work: 1 of 1']);
  });

  it('leaves the counts where the list is taken away, and counts anew with the next one', () => {
    const run = new Run(all, membersOf('a b c')).report('work', 'a b');
    expect(run.change(undefined)).toEqual([]);
    expect(run.counts).toBe('2/null 0/null');
    expect(run.change(membersOf('a b'))).toEqual(['update at work: 2 of 2']);
  });

  it('leaves the count of a number', () => {
    const run = new Run(all.replace('all', '3'), membersOf('a b c')).report('work', 'a b');
    expect(run.change(membersOf('c'))).toEqual([]);
    expect(run.counts).toBe('2/3 0/1');
  });

  it('tries the transition of a quorum once, when it is met', () => {
    const text = `initial: work
context: {n: 0}
states:
  work: {on: {update: {actions: [{assign: {n: context.n + 1}}], quorum: all}}}
`;
    const run = new Run(text, membersOf('a b c')).report('work', 'a b');
    expect(run.change(membersOf('a b'))).toEqual(['update at work: 2 of 2']);
    expect(run.change(membersOf('a'))).toEqual([]);
    expect(run.snapshot.machine.context.data).toEqual({ n: 1 });
  });

  it('takes no transition whose guard is false; the next report takes it once the guard is true', () => {
    const text = `initial: work
context: {open: false}
states:
  work: {on: {update: [{target: end, guard: context.open || event.type == "x", quorum: all}], open: {actions: [{assign: {open: "true"}}]}, close: {actions: [{assign: {open: "false"}}]}}}
  end: {type: final}
`;
    const run = new Run(text, membersOf('a b c')).report('work', 'x', 'open').report('work', 'a b');
    run.report('work', 'a', 'close');
    expect(run.change(membersOf('a b'))).toEqual(['update at work: 2 of 2, not-taken']);
    expect(run.states).toBe('work');
    run.report('work', 'a', 'open');
    run.change(membersOf('a b c'));
    expect(run.report('work', 'c').states).toBe('end');
  });

  it('refuses a transition whose action fails, and keeps the new members', () => {
    const text = `initial: work
context: {}
states:
  work: {on: {update: {target: end, quorum: all, actions: [{assign: {x: context.missing}}]}}}
  end: {type: final}
`;
    const run = new Run(text, membersOf('a b')).report('work', 'a');
    expect(run.change(membersOf('a'))).toEqual(['update at work: 1 of 1, expression-failed']);
    expect([run.states, run.counts]).toEqual(['work', '1/1']);
  });
});

describe('several quorums that one change meets', () => {
  const sides = `type: parallel
states:
  eu: {initial: work, states: {work: {on: {update: {target: done, quorum: all}}}, done: {type: final}}}
  us: {initial: work, states: {work: {on: {update: {target: done, quorum: all}}}, done: {type: final}}}
`;

  it('are all taken, in states side by side', () => {
    const run = new Run(sides, membersOf('a b c')).report('eu.work', 'a b').report('us.work', 'a b');
    expect(run.change(membersOf('a b'))).toEqual(['update at us.work: 2 of 2', 'update at eu.work: 2 of 2']);
    expect(run.states).toBe('eu eu.done us us.done');
  });

  it('end with the state: the innermost goes first, and where it leaves the state around it, that one is not taken', () => {
    const text = `initial: fleet
states:
  fleet:
    initial: a
    on: {fail: {target: back, quorum: all}}
    states: {a: {on: {update: {target: "#end", quorum: all}}}}
  end: {id: end}
  back: {}
`;
    const run = new Run(text, membersOf('a b c')).report('fleet.a', 'a b').report('fleet', 'a b', 'fail');
    expect(run.change(membersOf('a b'))).toEqual(['update at fleet.a: 2 of 2']);
    expect(run.states).toBe('end');
  });

  it('of one state: the first that leads away ends the others', () => {
    const run = new Run(all, membersOf('a b c d')).report('work', 'a b c').report('work', 'd', 'fail');
    // Of 3 members, 2 may fail.
    expect(run.change(membersOf('d'))).toEqual(['fail at work: 1 of 1']);
    expect(run.states).toBe('back');
  });
});

it('the event of a met quorum reaches no wildcard, outside or inside', () => {
  const text = `initial: fleet
states:
  fleet:
    initial: a
    on: {'build.*': {target: end, quorum: all}, '*': caught}
    states: {a: {on: {'note.*': b, '*': {target: b, guard: event.type != "build.x"}}}, b: {}}
  end: {}
  caught: {}
`;
  const run = new Run(text, membersOf('a b')).report('fleet', 'a', 'build.x');
  expect(run.change(membersOf('a'))).toEqual(['build.* at fleet: 1 of 1']);
  expect(run.states).toBe('end');
});

it('a report that another transition has taken is not counted by a quorum around it', () => {
  const text = `initial: fleet
states:
  fleet:
    initial: a
    on: {update: {target: end, quorum: all}}
    states: {a: {on: {update: b}}, b: {}}
  end: {}
`;
  const run = new Run(text, membersOf('a b c')).report('fleet.a', 'a').report('fleet', 'b');
  expect(run.counts).toBe('1/3');
  expect(run.change(membersOf('a b'))).toEqual([]);
  expect(run.counts).toBe('1/2');
});

describe('a change of inputs', () => {
  const text = `initial: work
inputs: {n: 3}
states:
  work: {on: {update: {target: end, quorum: inputs.n}}}
  end: {}
`;

  it('meets a quorum whose number falls to what has reported', () => {
    const run = new Run(text, undefined, { n: 3 }).report('work', 'a b');
    expect(run.change(undefined, { n: 2 })).toEqual(['update at work: 2 of 2']);
  });

  it('counts anew where the input becomes a share', () => {
    const run = new Run(text, membersOf('a b c'), { n: 5 }).report('work', 'a b');
    expect(run.change(membersOf('b c'), { n: '50%' })).toEqual(['update at work: 1 of 1']);
  });
});
