/**
 * Every kind of mistake in a statechart is told where it stands, and with what would be right. A `«` in these
 * charts marks where: it is taken out before the chart is read.
 */
import { describe, expect, it } from 'vitest';
import { readChart } from '../../../src/chart/chart.ts';
import {
  CHART_BYTES,
  CHART_DEPTH,
  CHART_STATES,
  EXPRESSION_LENGTH,
  STATE_NAME_LENGTH,
} from '../../../src/chart-limits.ts';

/** The path of an error, and a part of what it says; in the order of the marks. */
type Told = readonly [path: string, message: string | RegExp];

/** Takes the marks out of a text. */
function unmark(marked: string): { text: string; places: { line: number; column: number }[] } {
  const places: { line: number; column: number }[] = [];
  const lines = marked.split('\n').map((line, i) => {
    const [first = '', ...rest] = line.split('«');
    let text = first;
    for (const part of rest) {
      places.push({ line: i + 1, column: text.length + 1 });
      text += part;
    }
    return text;
  });
  return { text: lines.join('\n'), places };
}

function errorsOf(text: string) {
  const reading = readChart(text);
  if (reading.ok) throw new Error(`this chart was meant to be refused:\n${text}`);
  return reading.errors;
}

function expectErrors(marked: string, told: readonly Told[]): void {
  const { text, places } = unmark(marked);
  const errors = errorsOf(text);
  expect(errors.map(({ line, column, path }) => ({ line, column, path }))).toEqual(
    told.map(([path], i) => ({ ...places[i], path })),
  );
  for (const [i, [, message]] of told.entries()) {
    const said = errors[i]?.message;
    if (typeof message === 'string') expect(said).toContain(message);
    else expect(said).toMatch(message);
    // One sign ends a sentence.
    expect(said).not.toMatch(/[^.]\.\.$|\?\.$/);
  }
}

/** Named charts, each with the errors that are to be told. */
type Row = readonly [title: string, marked: string, ...told: Told[]];
const refuses = (rows: readonly Row[]) =>
  it.each(rows.map(([title, marked, ...told]) => ({ title, marked, told })))('$title', ({ marked, told }) => {
    expectErrors(marked, told);
  });

/** A chart whose state `a` is this, with more states below it. */
const stateA = (a: string, more = '') => `initial: a\nstates:\n  a: ${a}\n${more}`;
/** A chart with this guard. */
const guarded = (guard: string, more = '') => stateA(`{on: {go: {guard: ${guard}}}}`, more);
const GUARD = 'states.a.on.go.guard';

describe('a target', () => {
  refuses([
    [
      'that no state has',
      stateA('{on: {go: «nowhere}}'),
      ['states.a.on.go', /^There is no target "nowhere" from here\.$/],
    ],
    [
      'that is nearly a sibling',
      stateA('{on: {go: «bee}}', '  bea: {}\n'),
      ['states.a.on.go', 'There is no target "bee" from here. Did you mean "bea"?'],
    ],
    [
      'that is nearly a child',
      stateA('{initial: bea, on: {go: «.bee}, states: {bea: {}}}'),
      ['states.a.on.go', 'Did you mean ".bea"?'],
    ],
    [
      'that is nearly an id',
      stateA("{id: rollback, on: {go: '«#rolback'}}"),
      ['states.a.on.go', 'Did you mean "#rollback"?'],
    ],
    [
      'that is nearly a path below a sibling',
      stateA('{on: {go: «b.dran}}', '  b: {initial: drain, states: {drain: {}}}\n'),
      ['states.a.on.go', 'Did you mean "b.drain"?'],
    ],
    [
      'that lies elsewhere and has an id',
      stateA('{on: {go: «inner}}', '  b: {initial: x, states: {x: {id: inner}}}\n'),
      ['states.a.on.go', 'Did you mean "#inner"?'],
    ],
    [
      'that lies elsewhere and has none',
      stateA('{on: {go: «inner}}', '  b: {initial: inner, states: {inner: {}}}\n'),
      ['states.a.on.go', 'The state "inner" lies elsewhere: give it an `id` and write `#id`.'],
    ],
    [
      'that is a key, written as an id',
      stateA("{on: {go: '«#a'}}"),
      ['states.a.on.go', 'The state "a" lies elsewhere: give it an `id` and write `#id`.'],
    ],
    [
      'of the root, without its dot',
      'initial: a\non: {go: «a}\nstates: {a: {}}',
      ['on.go', 'Did you mean ".a"?'],
    ],
    [
      'in a list',
      stateA('{on: {go: {target: [.x, .y, «.zed]}}, type: parallel, states: {x: {}, y: {}, z: {}}}'),
      ['states.a.on.go.target[2]', 'There is no target ".zed" from here. Did you mean ".z"?'],
    ],
    [
      'of always, onDone, after and at',
      stateA(`
    initial: b
    states: {b: {type: final}}
    always: {target: «q, guard: context.n}
    onDone: «r
    after:
      1s: «s
    at:
      2040-01-01T00:00:00Z: [{target: «t}]`),
      ['states.a.always.target', '"q"'],
      ['states.a.onDone', '"r"'],
      ['states.a.after["1s"]', '"s"'],
      ['states.a.at["2040-01-01T00:00:00Z"][0].target', '"t"'],
    ],
    [
      'of a history',
      stateA('{initial: boot, states: {h: {type: history, target: «bot}, boot: {}}}'),
      ['states.a.states.h.target', 'There is no target "bot" from here. Did you mean "boot"?'],
    ],
    [
      'that cannot be active together with another',
      stateA('{on: {go: {target: «[b, c]}}}', '  b: {}\n  c: {}\n'),
      [
        'states.a.on.go.target',
        '"b" and "c" cannot be active at once: they are not in different regions of a parallel state.',
      ],
    ],
    [
      'that lies in the same region as another',
      stateA(
        '{on: {go: {target: «[b.x.c, b.x.d]}}}',
        '  b: {type: parallel, states: {x: {initial: c, states: {c: {}, d: {}}}}}\n',
      ),
      ['states.a.on.go.target', '"b.x.c" and "b.x.d" cannot be active at once'],
    ],
  ]);

  it('may be several that lie in different regions', () => {
    const regions = '  b: {type: parallel, states: {c: {}, d: {}}}\n';
    const reading = readChart(stateA('{on: {go: {target: [b.c, b.d]}}}', regions));
    expect(reading).toMatchObject({ ok: true, warnings: [] });
  });
});

describe('a key', () => {
  refuses([
    [
      'of a state that is not known',
      stateA('{«alwas: b}'),
      ['states.a.alwas', '"alwas" is not a key that is known here. Did you mean "always"?'],
    ],
    [
      'of the chart that is not known',
      'initial: a\n«version: 1\nstates: {a: {}}',
      ['version', '"version" is not a key that is known here.'],
    ],
    [
      'of a transition that is not known',
      stateA('{on: {go: {target: a, «gard: x}}}'),
      ['states.a.on.go.gard', 'Did you mean "guard"?'],
    ],
    [
      'that is known elsewhere: quorum in `after`',
      stateA('{after: {1s: {target: a, «quorum: 2}}}'),
      ['states.a.after["1s"].quorum', /^"quorum" is not a key that is known here\.$/],
    ],
    [
      'that is known elsewhere: context in a state',
      stateA('{«context: {n: 1}}'),
      ['states.a.context', /^"context" is not a key that is known here\.$/],
    ],
    [
      'that stands twice',
      stateA('{}', '  «a: {}\n'),
      ['', 'The key "a" is in this mapping twice; remove one.'],
    ],
    ['that is a list', 'initial: a\nstates: {a: {}, «[b]: {}}', ['', 'A key must be a scalar']],
  ]);
});

describe('a name that means something in JavaScript', () => {
  refuses([
    [
      'hides nothing of a state',
      'initial: a\nstates: {a: {}, __proto__: {«invoke: x, on: {go: «nowhere}}}',
      ['states.__proto__.invoke', '`invoke` is code'],
      ['states.__proto__.on.go', 'There is no target "nowhere" from here.'],
    ],
    [
      'hides nothing of an event',
      stateA('{on: {__proto__: {target: a, «gard: x}, constructor: «nowhere}}'),
      ['states.a.on.__proto__.gard', 'Did you mean "guard"?'],
      ['states.a.on.constructor', '"nowhere"'],
    ],
    [
      'hides nothing of an assign',
      stateA('{entry: {assign: {__proto__: «green}}}'),
      ['states.a.entry.assign.__proto__', 'Unknown variable: green.'],
    ],
    ['is no key of a state', stateA('{«__proto__: {type: final}}'), ['states.a.__proto__', 'is not a key']],
    ['is no key of a chart', 'initial: a\n«constructor: 1\nstates: {a: {}}', ['constructor', 'is not a key']],
  ]);
});

describe('code', () => {
  refuses([
    [
      'of XState 4',
      stateA('{on: {go: {target: a, «cond: "true"}}}'),
      ['states.a.on.go.cond', 'Did you mean "guard"?'],
    ],
    [
      'as invoke',
      stateA('{«invoke: {src: fetch}}'),
      ['states.a.invoke', '`invoke` is code, and a chart is data: it cannot run code.'],
    ],
    ['as activities', stateA('{«activities: beep}'), ['states.a.activities', '`activities` is code']],
    [
      'as a named action',
      stateA('{entry: «notify}'),
      [
        'states.a.entry',
        'must be an action (`assign`, `raise` or `cancel`) or a list of them: data, not code',
      ],
    ],
    [
      'as an action with a type',
      stateA('{on: {go: {actions: «{type: notify}}}}'),
      ['states.a.on.go.actions', 'data, not code'],
    ],
    ['as a named guard', guarded('«isReady'), [GUARD, 'at character 1: Unknown variable: isReady.']],
    ['as a guard with a type', guarded('«{type: isReady}'), [GUARD, 'must be an expression in CEL']],
    [
      'as a function of YAML',
      stateA("{entry: «!!js/function 'x => x'}"),
      ['', 'The tag "!!js/function" is not supported; a chart is plain data.'],
    ],
  ]);
});

describe('a type', () => {
  refuses([
    [
      'that there is not',
      stateA('{type: «paralel}'),
      ['states.a.type', 'must be one of atomic, compound, parallel, final, history'],
    ],
    [
      'compound without initial',
      stateA('{states: {b: {}, c: {}}}').replace('a: {states', '«a: {states'),
      ['states.a', 'Add `initial`, such as `initial: b`, or `type: parallel`.'],
    ],
    [
      'compound without states',
      stateA('{«type: compound}'),
      ['states.a.type', 'has no `states`, so it is atomic'],
    ],
    [
      'atomic with states',
      stateA('{«type: atomic, initial: b, states: {b: {}}}'),
      ['states.a.type', 'has `states`, so it is compound or parallel'],
    ],
    [
      'parallel without states',
      stateA('{«type: parallel}'),
      ['states.a.type', 'A parallel state has `states`, its regions.'],
    ],
    [
      'parallel with initial',
      stateA('{type: parallel, «initial: b, states: {b: {}}}'),
      ['states.a.initial', 'remove `initial`'],
    ],
    ['atomic with initial', stateA('{«initial: b}'), ['states.a.initial', 'There are no `states` to enter.']],
    [
      'atomic with onDone',
      stateA('{«onDone: a}'),
      ['states.a.onDone', 'Only a state with `states` can be done.'],
    ],
    [
      'final with what no final state has',
      stateA('{type: final, «on: {go: a}, «after: {1s: a}, «always: a, «at: {}, «states: {b: {}}}'),
      ['states.a.on', 'A final state has no `on`.'],
      ['states.a.after', 'A final state has no `after`.'],
      ['states.a.always', 'A final state has no `always`.'],
      ['states.a.at', 'A final state has no `at`.'],
      ['states.a.states', 'A final state has no `states`.'],
    ],
    [
      'history with what no history has',
      stateA(
        '{initial: b, states: {b: {}, h: {type: history, «entry: {raise: x}, «exit: {raise: x}, «on: {}}}}',
      ),
      ['states.a.states.h.entry', 'A history state has no `entry`.'],
      ['states.a.states.h.exit', 'A history state has no `exit`.'],
      ['states.a.states.h.on', 'A history state has no `on`.'],
    ],
    [
      'other than history, with a target',
      stateA('{«target: b}'),
      ['states.a.target', 'Only a history state has a `target`'],
    ],
    [
      'other than history, with a history',
      stateA('{type: final, «history: deep}'),
      ['states.a.history', '`history` is for a state of `type: history`.'],
    ],
    [
      'of a history that there is not',
      stateA('{initial: b, states: {b: {}, h: {history: «all}}}'),
      ['states.a.states.h.history', 'must be shallow or deep'],
    ],
    [
      'of the chart',
      '«initial: a\n«type: history\n«states: {a: {}}',
      ['initial', 'There are no `states` to enter.'],
      ['type', 'A chart is no history state.'],
      ['states', 'A history state has no `states`.'],
    ],
  ]);
});

describe('an initial', () => {
  refuses([
    [
      'that no child has',
      'initial: «aa\nstates: {ab: {}}',
      ['initial', 'There is no state "aa" inside this state. Did you mean "ab"?'],
    ],
    [
      'that lies deeper',
      'initial: «a.b\nstates: {a: {initial: b, states: {b: {}}}}',
      ['initial', 'There is no state "a.b" inside this state.'],
    ],
    [
      'that no child has, as a mapping',
      'initial: {target: «zz}\nstates: {a: {}}',
      ['initial.target', 'There is no state "zz" inside this state.'],
    ],
    [
      'with an action that is wrong',
      'initial: {target: a, actions: {raise: "«"}}\nstates: {a: {}}',
      ['initial.actions.raise', 'An event has a name.'],
    ],
  ]);
});

describe('an event', () => {
  it('that no caller may send is warned of, apart from wildcards and the end of a state', () => {
    const on = ['done.state.a', 'error.platform', 'done.*', '*', 'xstate.done.state.a', 'go.done.now'];
    const reading = readChart(stateA(`{on: {${on.map((event) => `'${event}': a`).join(', ')}}}`));
    expect(reading.warnings.map(({ path, message }) => [path, message])).toEqual(
      ['done.state.a', 'error.platform'].map((event) => [
        `states.a.on["${event}"]`,
        `No caller may send "${event}", so this is never taken; for the end of a state, write \`onDone\`.`,
      ]),
    );
  });

  refuses([
    [
      'of XState’s own',
      stateA('{on: {«xstate.init: a}}'),
      ['states.a.on["xstate.init"]', '"xstate.init" is XState\'s own; use `after`, `always` or `onDone`.'],
    ],
    [
      'that XState gives to a delay',
      stateA('{on: {«xstate.after.1000.a: a}}'),
      ['states.a.on["xstate.after.1000.a"]', "XState's own"],
    ],
    [
      'that tells of a state that there is not',
      stateA('{on: {«xstate.done.state.aa: a}}'),
      ['states.a.on["xstate.done.state.aa"]', 'There is no state "aa" that could be done. Did you mean "a"?'],
    ],
    [
      'without a name',
      stateA("{on: {'«': a}}"),
      ['states.a.on[""]', 'a transition without one is written in `always`'],
    ],
    [
      'that is raised and reserved',
      stateA('{entry: [{raise: «xstate.init}, {raise: «done.state.a}, {raise: «error.platform}]}'),
      ['states.a.entry[0].raise', '"xstate.init" is a name that XState reserves.'],
      ['states.a.entry[1].raise', '"done.state.a" is a name'],
      ['states.a.entry[2].raise', '"error.platform" is a name'],
    ],
    [
      'that is raised and a wildcard',
      stateA("{exit: {raise: {event: '«a.*', delay: 1s}}}"),
      ['states.a.exit.raise.event', 'A wildcard is allowed only in `on`; a raised event has a name.'],
    ],
    [
      'that is raised and has no name',
      stateA("{exit: {raise: '«'}}"),
      ['states.a.exit.raise', 'An event has a name.'],
    ],
    [
      'that leads nowhere and says so with null',
      stateA('{on: {go: «null}}'),
      ['states.a.on.go', 'must be a target, a transition such as'],
    ],
  ]);
});

describe('a duration', () => {
  it.each(['soon', '-5', '10x', '1.5', '99999d', '1 h', '1h 30m', '90S', '', '1e3', 'PT1H', '٣s'])(
    '%j is none',
    (delay) => {
      const quoted = JSON.stringify(delay);
      const path = /^[A-Za-z]\w*$/.test(delay) ? `.${delay}` : `[${quoted}]`;
      expectErrors(stateA(`{after: {"«${quoted.slice(1)}: a}}`), [
        [
          `states.a.after${path}`,
          `${quoted} must be a duration, such as 90s, 30m, 12h or 7d, milliseconds, or an input (\`inputs.soak\`).`,
        ],
      ]);
    },
  );

  it.each(['soon', '-1', '1.5', '99999d', '1e20'])('of a raise: %s is none', (delay) => {
    expectErrors(stateA(`{entry: {raise: {event: x, delay: «${delay}}}}`), [
      [
        'states.a.entry.raise.delay',
        '`delay` must be a duration, such as 90s, 30m, 12h or 7d, or milliseconds.',
      ],
    ]);
  });

  it.each(['{a: 1}', '[1]', 'true', 'null'])('of a raise: %s is not even text', (delay) => {
    const [error, ...others] = errorsOf(stateA(`{entry: {raise: {event: x, delay: ${delay}}}}`));
    expect(others).toEqual([]);
    expect(error).toMatchObject({ line: 3, path: expect.stringMatching(/^states\.a\.entry/) });
  });
});

describe('a moment', () => {
  it.each([
    'tomorrow',
    '2040-01-01',
    '2040-02-30T00:00:00Z',
    '2040-13-01T00:00:00Z',
    '2040-01-01T25:00:00Z',
    '2040-01-01T24:00:00Z',
    '2040-01-01T00:60:00Z',
    '2040-01-01 00:00:00',
    '2040-01-01T00:00:00+0200',
    '12:00',
  ])('%s is none', (at) => {
    const path = /^[a-z]+$/.test(at) ? `.${at}` : `["${at}"]`;
    expectErrors(stateA(`{at: {'«${at}': a}}`), [
      [`states.a.at${path}`, `"${at}" must be a time: \`2026-12-01T02:00:00Z\`, or with an offset`],
    ]);
  });
});

describe('an expression', () => {
  refuses([
    [
      'that ends too early',
      guarded("'«context.n >'"),
      [GUARD, 'The expression `context.n >`, at character 12: Unexpected token: EOF.'],
    ],
    [
      'with a name that there is not',
      guarded('«n > 1'),
      [GUARD, 'The expression `n > 1`, at character 1: Unknown variable: n.'],
    ],
    [
      'with a name that there is not, further on',
      guarded('«context.n > m'),
      [GUARD, 'at character 13: Unknown variable: m.'],
    ],
    ['with a function that there is not', guarded('«now() > 1'), [GUARD, 'at character 1: ']],
    [
      'of a guard that gives no boolean',
      guarded(`'«context.n == 1 ? "a" : "b"'`),
      [GUARD, 'at character 1: a guard is true or false; this gives a string.'],
    ],
    ['with kinds that do not go together', guarded(`'«"a" > 1'`), [GUARD, 'no such overload']],
    [
      'that asks `matches`',
      guarded(`'«context.s.matches("(a+)+$")'`),
      [GUARD, '`matches` is not available here; there is: '],
    ],
    [
      'with a macro inside another',
      guarded("'«context.l.all(x, x.all(y, y > 0))'"),
      [GUARD, 'at character 18: a macro cannot stand inside another.'],
    ],
    [
      'of an assign that ends too early',
      stateA("{entry: {assign: {n: '«1 +'}}}"),
      ['states.a.entry.assign.n', 'The expression `1 +`, at character 4: '],
    ],
    [
      'of an assign that was meant as text',
      stateA('{entry: {assign: {color: «green}}}'),
      ['states.a.entry.assign.color', 'Unknown variable: green.'],
    ],
    [
      'in the second of two actions',
      stateA("{entry: [{raise: x}, {assign: {n: '«('}}]}"),
      ['states.a.entry[1].assign.n', 'The expression `(`'],
    ],
    [
      'in the second of two transitions',
      stateA("{on: {go: [a, {guard: '«('}]}}"),
      ['states.a.on.go[1].guard', 'The expression `(`'],
    ],
    [
      'that asks in_state in an assign',
      stateA(`{entry: {assign: {n: '«in_state("a")'}}}`),
      ['states.a.entry.assign.n', '`in_state` can be asked in guards only'],
    ],
    [
      'that asks in_state of what is no text',
      guarded('«in_state(context.s)'),
      [GUARD, 'at character 1: `in_state` takes the name of a state in quotes.'],
    ],
    ['that asks in_state of a number', guarded('«in_state(1)'), [GUARD, 'no matching overload']],
    [
      'that asks in_state of a state that there is not',
      guarded(`'«context.n == 1 && in_state("b")'`),
      [GUARD, 'at character 28: there is no state "b". Did you mean "a"?'],
    ],
    [
      'that asks in_state of a key that several have',
      guarded(`'«in_state("x")'`, '  b: {initial: x, states: {x: {}}}\n  c: {initial: x, states: {x: {}}}\n'),
      [GUARD, 'there is no state "x"'],
    ],
    [
      'that is too long',
      guarded(`'«"${'x'.repeat(EXPRESSION_LENGTH)}" == ""'`),
      [GUARD, `an expression has at most ${EXPRESSION_LENGTH} characters`],
    ],
    [
      'with too many negations',
      guarded(`'«${'!'.repeat(33)}context.ok'`),
      [GUARD, 'more than 32 prefix operators in a row'],
    ],
  ]);

  it('is shown shortened where it is long', () => {
    const [error] = errorsOf(guarded(`'context.${'x'.repeat(300)} +'`));
    expect(error?.message).toMatch(/^The expression `context\.x{49}\.\.\.`, at character 311: /);
  });
});

describe('other mistakes', () => {
  refuses([
    [
      'an id that is taken',
      stateA('{id: x}', '  b: {id: «x}\n'),
      ['states.b.id', 'The id "x" is taken by the state on line 3.'],
    ],
    ['an id that is no text', stateA('{id: «5}'), ['states.a.id', 'must be text']],
    [
      'a quorum of nothing',
      stateA('{on: {go: {target: a, quorum: «0}}}'),
      [
        'states.a.on.go.quorum',
        '`quorum` must be a whole number of at least 1, a share of the members (`all`, `95%`), or an input',
      ],
    ],
    [
      'a quorum of a half',
      stateA('{on: {go: {target: a, quorum: «1.5}}}'),
      [
        'states.a.on.go.quorum',
        '`quorum` must be a whole number of at least 1, a share of the members (`all`, `95%`), or an input',
      ],
    ],
    [
      'a quorum in words',
      stateA('{on: {go: {target: a, quorum: «many}}}'),
      [
        'states.a.on.go.quorum',
        '`quorum` must be a whole number of at least 1, a share of the members (`all`, `95%`), or an input',
      ],
    ],
    [
      'a context that is a list',
      'initial: a\ncontext: «[1]\nstates: {a: {}}',
      ['context', '`context` must be a mapping of names to plain data.'],
    ],
    [
      'a context with numbers that JSON has not',
      'initial: a\ncontext: {n: «.inf, m: «.nan}\nstates: {a: {}}',
      ['context.n', '`n` must be plain data'],
      ['context.m', '`m` must be plain data'],
    ],
    [
      'a context with a tag',
      'initial: a\ncontext: {n: «!!timestamp 2020-01-01}\nstates: {a: {}}',
      ['', 'The tag "!!timestamp" is not supported'],
    ],
    [
      'states as a list',
      '«type: parallel\nstates: «[a, b]',
      ['type', 'A parallel state has `states`'],
      ['states', '`states` must be a mapping of names to states.'],
    ],
    [
      'a state that is no mapping',
      stateA('«5'),
      ['states.a', '`a` must be a state: a mapping, which may be empty, `{}`.'],
    ],
    ['tags that are no text', stateA('{tags: [«1]}'), ['states.a.tags[0]', 'must be text: a tag']],
    ['nothing at all', '«', ['', 'The chart is empty.']],
    [
      'neither dialect',
      '«foo: bar',
      [
        '',
        'A chart has `current_state` and `states` (a sequence), or `initial` and `states` (a statechart).',
      ],
    ],
    ['a list', '«- a\n- b\n', ['', 'A chart has `current_state`']],
    ['an alias of nothing', 'initial: a\nstates: {a: *«b}', ['', 'The alias "b" names no anchor above it.']],
    [
      'an alias of what it stands in',
      'initial: a\nstates: &s {a: *«s}',
      ['', 'The alias "s" is inside the node that it names.'],
    ],
  ]);

  it('a value that is no scalar in an assign is told where it stands', () => {
    const [error] = errorsOf(stateA('{entry: [{raise: x}, {assign: {m: true, n: [1]}}]}'));
    expect(error).toMatchObject({ line: 3, path: expect.stringMatching(/^states\.a\.entry/) });
  });

  it('YAML that is none is told with the place where the reader stopped', () => {
    const [error, ...others] = errorsOf('initial: a\nstates: {a: {}\n');
    expect(others).toEqual([]);
    expect(error).toMatchObject({ path: '', message: expect.stringMatching(/^This is not YAML: ./) });
    expect(error?.line).toBeGreaterThan(1);
  });

  it('a second document is told', () => {
    const [error, ...others] = errorsOf('initial: a\nstates: {a: {}}\n---\nfoo: bar\n');
    expect(others).toEqual([]);
    expect(error?.message).toMatch(/^There is more than one document; a chart is one\./);
  });
});

describe('a chart that runs for ever', () => {
  const FOR_EVER = 'This never ends: the `always` transitions that lead back here have no guard.';
  refuses([
    ['in two always', stateA('{always: «b}', '  b: {always: a}\n'), ['states.a.always', FOR_EVER]],
    ['in an always to itself', stateA('{always: «a}'), ['states.a.always', FOR_EVER]],
    [
      'in an always without a target',
      stateA("{always: «{actions: {assign: {n: '1'}}}}"),
      ['states.a.always', FOR_EVER],
    ],
    [
      'elsewhere than at the start',
      stateA('{on: {go: b}}', '  b: {always: «c}\n  c: {always: b}\n'),
      ['states.b.always', FOR_EVER],
    ],
    [
      'by way of a child',
      stateA('{id: a, always: «b}', "  b: {initial: c, states: {c: {always: '#a'}}}\n"),
      ['states.a.always', FOR_EVER],
    ],
    [
      'where every guard is true at the start',
      '«initial: a\ncontext: {n: 1}\nstates: {a: {always: {target: b, guard: context.n == 1}}, b: {always: {target: a, guard: context.n == 1}}}',
      ['initial', 'It cannot start: '],
    ],
    [
      'in a raise at the start',
      stateA('{entry: {raise: x}, on: {x: {target: a, reenter: true}}}').replace('initial', '«initial'),
      ['initial', 'It cannot start: '],
    ],
  ]);

  it.each([
    'initial: h\nstates: {h: {type: history}, a: {}}',
    'initial: a\nstates: {h: {type: history, target: h}, a: {on: {go: h}}}',
    'initial: a\nstates: {h: {type: history, target: g}, g: {type: history, target: h}, a: {on: {go: h}}}',
    "initial: a\nstates: {a: {on: {go: b.h}}, b: {id: b, initial: h, states: {h: {type: history, target: '#b'}, c: {}}}}",
    'initial: a\nstates: {a: {on: {go: b.h}}, b: {initial: c, states: {h: {type: history, target: c}, c: {initial: h, states: {h: {type: history}, d: {}}}}}}',
  ])('in a history that leads to itself: %s', (text) => {
    const [error] = errorsOf(text);
    expect(error?.message).toMatch(/history/i);
    expect(error?.line).toBeGreaterThan(0);
  });

  it('is none whose always has a guard, or leads to an end', () => {
    expect(readChart(stateA('{always: b}', '  b: {always: c}\n  c: {}\n')).ok).toBe(true);
    expect(readChart(stateA('{always: {target: b, guard: context.x}}', '  b: {always: a}\n')).ok).toBe(true);
  });
});

describe('the bounds of a chart', () => {
  it('let as many states be as are allowed, the root among them, and no more', () => {
    const chain = (count: number) => {
      const states = Array.from({ length: count }, (_, i) => `  s${i}: {always: s${i + 1}}\n`);
      return `initial: s0\nstates:\n${states.join('')}  «s${count}: {}\n`;
    };
    expect(readChart(unmark(chain(CHART_STATES - 2)).text)).toMatchObject({ ok: true, warnings: [] });
    expectErrors(chain(CHART_STATES - 1), [
      [`states.s${CHART_STATES - 1}`, `A chart has at most ${CHART_STATES} states.`],
    ]);
  });

  it('let states lie as deep inside each other as is allowed, and no deeper', () => {
    const nest = (depth: number): object =>
      depth === 0 ? {} : { initial: 's', states: { s: nest(depth - 1) } };
    // Each level is two mappings, the state and its `states`; the innermost is one.
    expect(readChart(JSON.stringify(nest((CHART_DEPTH - 1) >> 1)))).toMatchObject({ ok: true });
    const [error, ...others] = errorsOf(JSON.stringify(nest((CHART_DEPTH + 1) >> 1)));
    expect(others).toEqual([]);
    expect(error).toMatchObject({ line: 1, path: '', message: expect.stringMatching(/depth/i) });
    expect(error?.column).toBeGreaterThan(1);
  });

  it('let a name be as long as is allowed, and no longer', () => {
    const named = (name: string) => `initial: ${name}\nstates:\n  «${name}: {}\n`;
    expect(readChart(unmark(named('n'.repeat(STATE_NAME_LENGTH))).text)).toMatchObject({ ok: true });
    const long = 'n'.repeat(STATE_NAME_LENGTH + 1);
    expectErrors(named(long), [
      [`states.${long}`, `A name has at most ${STATE_NAME_LENGTH} characters of well-formed Unicode.`],
    ]);
  });

  it('let a text have as many bytes as are allowed, and no more', () => {
    const chart = 'initial: a\nstates: {a: {}}\n#';
    expect(readChart(chart + 'x'.repeat(CHART_BYTES - chart.length))).toMatchObject({ ok: true });
    expectErrors(`«${chart}${'x'.repeat(CHART_BYTES - chart.length + 1)}`, [
      ['', `The chart has ${CHART_BYTES + 1} bytes; at most ${CHART_BYTES} are read.`],
    ]);
  });
});

describe('several mistakes', () => {
  const several = `initial: «zz
states:
  a:
    on: {go: «nowhere}
    «invoke: x
  b:
    «after: {«soon: a}
    entry:
      - assign: {n: '«context.'}
      - raise: «xstate.x
    type: final
  c: {id: i, «onDone: a}
  d: {id: «i, on: {go: {target: «[a, b]}}}
`;
  const told: readonly Told[] = [
    ['initial', 'There is no state "zz" inside this state.'],
    ['states.a.on.go', 'There is no target "nowhere" from here.'],
    ['states.a.invoke', '`invoke` is code'],
    ['states.b.after', 'A final state has no `after`.'],
    ['states.b.after.soon', 'must be a duration'],
    ['states.b.entry[0].assign.n', 'The expression `context.`, at character 9'],
    ['states.b.entry[1].raise', 'XState reserves'],
    ['states.c.onDone', 'Only a state with `states` can be done.'],
    ['states.d.id', 'The id "i" is taken by the state on line 12.'],
    ['states.d.on.go.target', '"a" and "b" cannot be active at once'],
  ];

  it('are all told, in the order of the document', () => {
    expectErrors(several, told);
  });

  it('are told where they stand also where lines end as on Windows', () => {
    expectErrors(several.replaceAll('\n', '\r\n'), told);
  });

  it('are told where they stand also behind a byte order mark', () => {
    const { text, places } = unmark(several);
    expect(errorsOf(`\uFEFF${text}`).map(({ line, column }) => ({ line, column }))).toEqual(places);
  });
});

describe('a state that no way leads to', () => {
  function expectWarnings(marked: string, messages: readonly Told[]): void {
    const { text, places } = unmark(marked);
    const reading = readChart(text);
    expect(reading.ok).toBe(true);
    expect(reading.warnings).toEqual(
      messages.map(([path, message], i) => ({ severity: 'warning', ...places[i], path, message })),
    );
  }

  it('is warned of, and the chart is accepted', () => {
    expectWarnings(stateA('{}', '  «b: {}\n'), [['states.b', 'No transition leads to "b".']]);
  });

  it('is told without what lies inside it', () => {
    expectWarnings(stateA('{}', '  «b: {id: bee, initial: c, states: {c: {}, d: {}}}\n'), [
      ['states.b', 'No transition leads to "bee".'],
    ]);
  });

  it('is one that only itself leads to', () => {
    expectWarnings(stateA('{}', '  «b: {on: {go: b}}\n'), [['states.b', 'No transition leads to "b".']]);
  });

  it('is none that any kind of transition leads to', () => {
    expectWarnings(
      `
initial: {target: a}
context: {x: true}
on: {x: .by_the_root}
states:
  a:
    on: {go: b}
    after: {1s: c}
    at: {2040-01-01T00:00:00Z: d}
    always: {target: e, guard: context.x}
    initial: i
    states: {i: {always: j}, j: {type: final}, past: {type: history, target: k}, k: {}}
    onDone: f
  b: {type: parallel, states: {g: {initial: h, states: {h: {}}}}, on: {back: a.past}}
  c: {}
  d: {}
  e: {}
  f: {on: {go: {target: [b.g.h]}}}
  by_the_root: {}
`,
      [],
    );
  });
});
