/** Transitions after which a chart has failed, or can end only in failure. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChart } from '../../src/chart/chart.ts';
import { leadsToFailure } from '../../src/chart/failing.ts';
import { FUZZ } from '../fuzz.ts';

/** The states of a chart to which a transition leads to failure. */
function failing(text: string): readonly string[] {
  const reading = readChart(text);
  if (!reading.ok) throw new Error(JSON.stringify(reading.errors));
  const { model } = reading.chart;
  return model.states.flatMap(({ name }, state) => (leadsToFailure(model, [state]) ? [name] : [])).toSorted();
}

describe('a transition leads to failure', () => {
  it('if each end that it can still reach has failed, whatever guards and quorums say', () => {
    const text = `
initial: a
states:
  a: {on: {update: b, fail: back, ask: either}}
  b: {type: final}
  back: {on: {update: {target: failed, quorum: all}}, after: {1d: failed}}
  either:
    on: {yes: [{target: b, guard: event.data.x > 1}, {actions: [{assign: {n: 1}}]}], no: failed}
  unsure: {on: {update: [{target: failed, guard: "false"}, {target: failed}]}}
  counted: {on: {update: {target: b, quorum: 40}, fail: failed}}
  round: {on: {update: round}}
  failed: {type: final, tags: [failed]}
`;
    expect(failing(text)).toEqual(['back', 'failed', 'unsure']);
  });

  it('if it enters a state that is tagged, or that is around one by default, though the chart can go on', () => {
    const text = `
initial: a
states:
  a: {on: {update: b, fail: broken, worse: outer, worst: wide, inner: "#deep"}}
  b: {type: final}
  broken: {tags: [failed, red], on: {update: a}}
  outer: {initial: in, on: {update: a}, states: {in: {tags: [failed]}, out: {}}}
  wide: {type: parallel, on: {update: a}, states: {x: {}, y: {initial: in, states: {in: {tags: [failed]}}}}}
  around: {tags: [failed], initial: one, on: {update: a}, states: {one: {}, two: {id: deep}}}
`;
    const names = [
      'around',
      'around.one',
      'broken',
      'deep',
      'outer',
      'outer.in',
      'wide',
      'wide.y',
      'wide.y.in',
    ];
    expect(failing(text)).toEqual(names);
  });

  it('not if only a part of the chart ends in failure', () => {
    const text = `
initial: a
states:
  a: {initial: x, onDone: good, states: {x: {on: {fail: y}}, y: {type: final, tags: [failed]}}}
  good: {type: final}
  failed: {type: final, tags: [failed]}
`;
    expect(failing(text)).toEqual(['failed']);
  });

  it('by the ends of the states around it, which go on', () => {
    const text = `
initial: work
states:
  work:
    initial: a
    on: {update: good}
    states: {a: {on: {fail: b}}, b: {on: {fail: "#failed"}}}
  back:
    initial: c
    states: {c: {on: {update: d}}, d: {type: final}}
    onDone: failed
  good: {type: final}
  failed: {id: failed, type: final, tags: [failed]}
`;
    expect(failing(text)).toEqual(['back', 'back.c', 'back.d', 'failed']);
  });

  it('by no end at which the states around it are not done', () => {
    const text = `
initial: work
states:
  work:
    initial: a
    onDone: good
    states: {a: {on: {update: done, fail: b}}, b: {on: {update: "#failed"}}, done: {type: final}}
  good: {type: final}
  failed: {id: failed, type: final, tags: [failed]}
`;
    expect(failing(text)).toEqual(['failed', 'work.b']);
  });

  it('not while a region beside it can still end well', () => {
    const regions = (on: string) => `
initial: p
states:
  p:
    type: parallel
    states:
      eu: {initial: a, states: {a: {on: {fail: b}}, b: {on: {update: "#failed"}}}}
      us: {initial: c, states: {c: {on: {update: d}}, d: {on: {update: "${on}"}}}}
  good: {id: good, type: final}
  failed: {id: failed, type: final, tags: [failed]}
`;
    expect(failing(regions('#good'))).toEqual(['failed']);
    // A region that moves brings nothing back that another has left.
    expect(failing(regions('c').replace('fail: b', 'fail: b, update: "#good"'))).toEqual([
      'failed',
      'p.eu.b',
    ]);
  });

  it('by a region of a parallel root, whatever the others come to', () => {
    const text = `
type: parallel
states:
  eu: {initial: a, states: {a: {on: {update: b, fail: c}}, b: {type: final}, c: {on: {update: d}}, d: {type: final, tags: [failed]}}}
  us: {initial: a, states: {a: {on: {update: b}}, b: {type: final}}}
`;
    expect(failing(text)).toEqual(['eu.c', 'eu.d']);
    // A transition between them begins both again.
    expect(
      failing(
        text
          .replace('{a: {on: {update: b}}', '{a: {on: {update: b, again: "#eu.a"}}')
          .replace('{a: {on: {update: b, fail', '{a: {id: eu.a, on: {update: b, fail'),
      ),
    ).toEqual(['eu.d']);
  });

  it('by what a history state can remember', () => {
    const text = (more: string) => `
initial: work
states:
  work: {initial: a, states: {a: {on: {update: b}}, b: {on: {update: "#good"}}, last: {type: history}}, on: {stop: halt}}
  halt: {on: {resume: work.last, fail: failed}}
  back: {initial: c, states: {c: {on: {update: d}}, d: {on: {update: "#failed"${more}}}, last: {type: history}}, on: {stop: rest}}
  rest: {on: {resume: back.last}}
  good: {id: good, type: final}
  failed: {id: failed, type: final, tags: [failed]}
`;
    expect(failing(text(''))).toEqual(['back', 'back.c', 'back.d', 'back.last', 'failed', 'rest']);
    expect(failing(text(', heal: "#good"'))).toEqual(['failed']);
  });

  it('by what a transition enters with its target', () => {
    const text = `
initial: a
states:
  a: {on: {update: x, good: good}}
  x: {on: {update: "#deep"}}
  outer: {initial: b, on: {rescue: good}, states: {b: {}, c: {id: deep, on: {fail: "#failed"}}}}
  good: {type: final}
  failed: {id: failed, type: final, tags: [failed]}
`;
    expect(failing(text)).toEqual(['failed']);
    expect(failing(text.replace('rescue: good', 'rescue: failed'))).toContain('x');
  });

  it('not while a transition between regions begins them again', () => {
    const text = (other: string) => `
initial: p
states:
  p:
    type: parallel
    states:
      eu: {initial: a, states: {a: {on: {update: "#good", fail: b}}, b: {on: {other: "${other}"}}}}
      us: {initial: c, states: {c: {}, d: {id: d, on: {update: "#failed"}}}}
  good: {id: good, type: final}
  failed: {id: failed, type: final, tags: [failed]}
`;
    expect(failing(text('#d'))).toEqual(['failed']);
    expect(failing(text('#failed'))).toEqual(['failed', 'p.eu.b']);
  });

  it('not where a history state can remember more than it enters at first', () => {
    const text = `
initial: begin
states:
  begin: {on: {update: "#b"}}
  work: {initial: a, on: {stop: halt}, states: {a: {on: {update: "#failed"}}, b: {id: b, on: {update: "#good"}}, last: {type: history}}}
  halt: {on: {resume: work.last}}
  good: {id: good, type: final}
  failed: {id: failed, type: final, tags: [failed]}
`;
    expect(failing(text)).not.toContain('halt');
    expect(
      failing(
        text
          .replace('begin: {on: {update: "#b"}}', 'begin: {on: {update: good}}')
          .replace('b: {id: b, on: {update: "#good"}}, ', ''),
      ),
    ).toContain('halt');
  });

  it('not where a chart without another end goes round', () => {
    const text = `
initial: begin
states:
  begin: {on: {update: idle}}
  idle: {on: {update: work, fail: broken}}
  work: {on: {update: idle, fail: repair}}
  repair: {on: {update: broken}}
  broken: {type: final, tags: [failed]}
`;
    expect(failing(text)).toEqual(['broken', 'repair']);
    // With an end that is good, going round for ever is none.
    const ends = text
      .replace('{update: work', '{update: work, stop: good')
      .replace('{update: broken}', '{update: broken, again: repair}');
    expect(failing(`${ends}  good: {type: final}\n`)).toEqual(['broken', 'repair']);
  });

  it('never in a chart without the tag, and never for a transition that stays', () => {
    expect(failing('initial: a\nstates: {a: {on: {update: b}}, b: {type: final}}')).toEqual([]);
    expect(failing('current_state: a\nstates: [{name: a}]')).toEqual([]);
    const reading = readChart('initial: a\nstates: {a: {on: {x: b}}, b: {type: final, tags: [failed]}}');
    expect(reading.ok && leadsToFailure(reading.chart.model, [])).toBe(false);
  });

  it('as a search from each state finds, in any chart without inner states', () => {
    const target = fc.nat({ max: 9 });
    const kind = fc.constantFrom('plain', 'plain', 'plain', 'good', 'failed', 'tagged');
    const chart = fc.array(fc.record({ kind, targets: fc.array(target, { maxLength: 3 }) }), {
      minLength: 10,
      maxLength: 10,
    });
    fc.assert(
      fc.property(chart, (states) => {
        const text = JSON.stringify({
          initial: 's0',
          states: Object.fromEntries(
            states.map(({ kind, targets }, i) => [
              `s${i}`,
              {
                ...(kind === 'good' || kind === 'failed' ? { type: 'final' } : {}),
                ...(kind === 'failed' || kind === 'tagged' ? { tags: ['failed'] } : {}),
                ...(kind === 'good' || kind === 'failed'
                  ? {}
                  : { on: Object.fromEntries(targets.map((to, n) => [`e${n}`, `s${to}`])) }),
              },
            ]),
          ),
        });
        expect(failing(text)).toEqual(failingBySearch(states));
      }),
      { numRuns: Math.ceil(FUZZ.runs / 10), seed: FUZZ.seed },
    );
  });
});

/** The same of a chart without inner states, by a search from each state. */
function failingBySearch(states: readonly { readonly kind: string; readonly targets: readonly number[] }[]) {
  const isFinal = (state: number) => ['good', 'failed'].includes(states[state]?.kind ?? '');
  const nextOf = (state: number) => (isFinal(state) ? [] : (states[state]?.targets ?? []));
  const reach = (starts: readonly number[]) => {
    const found = new Set(starts);
    for (const at of found) for (const next of nextOf(at)) found.add(next);
    return [...found];
  };
  const has = (reached: readonly number[], ...kinds: string[]) =>
    reached.some((state) => kinds.includes(states[state]?.kind ?? ''));
  const canEndWell = has(reach([0]), 'good');
  const isRound = (state: number) => reach(nextOf(state)).includes(state);
  return states
    .flatMap(({ kind }, state) => {
      const reached = reach([state]);
      const isGood = has(reached, 'good') || (!canEndWell && reached.some(isRound));
      const fails = ['failed', 'tagged'].includes(kind) || (!isGood && has(reached, 'failed', 'tagged'));
      return fails ? [`s${state}`] : [];
    })
    .toSorted();
}
