/** Documents and charts that were made to hurt: each is small, and costs far more than its size. */
import { CHART_BYTES } from '../../../src/chart-limits.ts';

/** Fills a document up to the size that is read, or nearly. */
const fill = (part: string, most = CHART_BYTES - 200) => part.repeat(Math.floor(most / part.length));
const times = <Item>(count: number, make: (i: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => make(i));
const mapping = <Value>(count: number, make: (i: number) => readonly [string, Value]) =>
  Object.fromEntries(times(count, make));
/** A field of cron with each value below `most`. */
const values = (most: number): string => times(most, (i) => i).join();

/** As many parts, made one after the other, as fit into what is read. */
function upTo(begin: string, make: (i: number) => string, end = ''): string {
  const parts: string[] = [];
  let length = begin.length + end.length;
  for (let i = 0; ; i++) {
    const part = make(i);
    length += part.length;
    if (length > CHART_BYTES - 100) return `${begin}${parts.join('')}${end}`;
    parts.push(part);
  }
}

const a = (state: string, more = '') => `initial: a\nstates:\n  a: ${state}\n${more}`;
const guards = (make: (i: number) => string) =>
  upTo('initial: a\nstates:\n  a:\n    on:\n      go:\n', (i) => `      - {guard: '${make(i)}'}\n`);

/** Texts, each to be accepted or refused in good time. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  // YAML
  'keys that are mappings, 641 bytes': '? '.repeat(320),
  'keys that are mappings, to the full': fill('? '),
  'keys that are lists': fill('? - '),
  'many keys': upTo('', (i) => `k${i}: \n`),
  'many keys in flow style': `{${upTo('', (i) => `k${i}: 1, `)}}`,
  'many times the same key': fill('k: 1\n'),
  'many states, all wrong': upTo('initial: s0\nstates:\n', (i) => `  s${i}: 1\n`),
  'brackets that open': fill('['),
  'braces that open': fill('{a: '),
  dashes: fill('- '),
  'brackets that open and close': fill('[]'),
  quotes: fill('"'),
  'a long quoted scalar with escapes': `initial: "${fill('\\u0041')}"`,
  'a long plain scalar': `initial: ${fill('x ')}`,
  'a long plain scalar over many lines': `initial: ${fill('x\n  ')}`,
  'a long block scalar': `initial: |\n${fill('  x\n')}`,
  'a long folded scalar': `initial: >\n${fill('  x\n\n')}`,
  'a long number': `initial: ${fill('9')}`,
  'a long number with a letter': `initial: ${fill('9')}x`,
  'a long number with points': `initial: ${fill('1.')}`,
  'long digits of a float': `initial: 0.${fill('0')}1e${'9'.repeat(300)}`,
  'a long hexadecimal number': `initial: 0x${fill('F')}`,
  'a long octal number': `initial: 0o${fill('7')}`,
  'white space': fill(' '),
  tabs: fill('\t'),
  'empty lines': fill('\n'),
  'carriage returns': fill('\r'),
  comments: fill('#\n'),
  'one comment': `#${fill('x')}`,
  'document marks': fill('---\n'),
  directives: fill('%A\n'),
  tags: fill('!a '),
  anchors: upTo('', (i) => `- &a${i} x\n`),
  'aliases of one small thing': `a: &a x\nb: [${fill('*a,')}]`,
  'aliases of aliases': `a: &a [x, x]\n${times(
    26,
    (i) =>
      `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [*${String.fromCharCode(97 + i)}, *${String.fromCharCode(97 + i)}]\n`,
  )
    .slice(0, 25)
    .join('')}`,
  '95 aliases of much': `a: &a [${times(1_000, () => 'x').join(', ')}]\nb: [${times(95, () => '*a').join(', ')}]`,
  'aliases of a long text': `initial: a\nstates:\n  a: {description: &d "${'x'.repeat(100_000)}"}\n${times(900, (i) => `  s${i}: {description: *d}\n`).join('')}`,
  'an anchor that holds itself': 'initial: a\nstates: &s {a: {states: *s}}',
  'merge keys': `a: &a {x: 1}\n${fill('<<: *a\n')}`,
  'half a character': `initial: "${fill('\\uD800')}"`,
  'characters of four bytes': `initial: ${'😀'.repeat(60_000)}`,
  'an error at the very end': `${upTo('initial: s0\nstates:\n', (i) => `  s${i}: {on: {go: s${i}}}\n`)}]`,

  // The sequence dialect
  'a sequence to the full': upTo(
    'current_state: s0\nstates:\n',
    (i) =>
      `- {name: s${i}, func: increment, current: {key: c, value: 0}, target: {name: s${i}, when: {key: c, value: 1}}}\n`,
  ),
  'a sequence of empty states': fill('- {}\n').replace(/^/, 'current_state: a\nstates:\n'),
  'a sequence of wrong functions': upTo(
    'current_state: a\nstates:\n',
    (i) => `- {name: s${i}, func: incremen}\n`,
  ),
  'a sequence of wrong targets': upTo(
    'current_state: s0\nstates:\n',
    (i) =>
      `- {name: s${i}, func: increment, current: {key: c, value: 0}, target: {name: t${i}, when: {key: c, value: 1}}}\n`,
  ),
  'a sequence of one name': fill('- {name: a}\n').replace(/^/, 'current_state: a\nstates:\n'),

  // The statechart dialect: its shape
  'as many states as are allowed': `initial: s0\nstates:\n${times(998, (i) => `  s${i}: {on: {update: s${(i + 1) % 998}, fail: {target: s0, guard: 'context.n > ${i}', actions: {assign: {n: context.n + 1}}}}, after: {${i + 1}s: s0}}\n`).join('')}`,
  'states to the full': upTo('initial: s0\nstates:\n', (i) => `  s${i}: {}\n`),
  'unknown keys': upTo('initial: a\nstates:\n  a:\n', (i) => `    k${i}: 1\n`),
  'unknown keys in many states': `initial: s0\nstates:\n${times(998, (i) => `  s${i}: {${times(20, (k) => `q${k}: 1`).join(', ')}}\n`).join('')}`,
  'wrong transitions': upTo('initial: a\nstates:\n  a:\n    on:\n', (i) => `      e${i}: {target: {}}\n`),
  'wrong actions': upTo('initial: a\nstates:\n  a:\n    entry:\n', () => '    - {assign: 1}\n'),
  'wrong actions in transitions': upTo(
    'initial: a\nstates:\n  a:\n    on:\n      go:\n',
    () => '      - {actions: [{raise: {x: 1}}]}\n',
  ),
  'wrong contexts': upTo('initial: a\ncontext:\n', (i) => `  k${i}: .inf\n`, 'states: {a: {}}'),
  'a nested context': `initial: a\ncontext: {k: ${'['.repeat(50)}${fill('1,', 50_000)}${']'.repeat(50)}}\nstates: {a: {}}`,
  'tags of a state': a(`{tags: [${fill('x,', 200_000)}x]}`),
  'many events': upTo('initial: a\nstates:\n  a:\n    on:\n', (i) => `      e${i}: a\n`),
  'many wildcards': upTo('initial: a\nstates:\n  a:\n    on:\n', (i) => `      e${i}.*: a\n`),
  'many transitions of one event': upTo(
    'initial: a\nstates:\n  a:\n    on:\n      go:\n',
    () => '      - a\n',
  ),
  'many delays': upTo('initial: a\nstates:\n  a:\n    after:\n', (i) => `      ${i}: a\n`),
  'many wrong delays': upTo('initial: a\nstates:\n  a:\n    after:\n', (i) => `      x${i}: a\n`),
  'a delay of many parts': a(`{after: {${fill('1m', 200_000)}: a}}`),
  'a delay of many parts, wrong at its end': a(`{after: {${fill('1m', 200_000)}x: a}}`),
  'many moments': upTo(
    'initial: a\nstates:\n  a:\n    at:\n',
    (i) => `      2040-01-01T00:00:00.${String(i).padStart(6, '0')}Z: a\n`,
  ),
  'many windows': upTo(
    'initial: a\nstates:\n  a:\n    window:\n',
    () => `      - {cron: '${values(60)} ${values(24)} 29 2 *', for: 1m, zone: Europe/Berlin}\n`,
  ),
  'windows in many states': `initial: s0\nstates:\n${times(900, (i) => `  s${i}: {window: {cron: '${values(60)} * * * MON#5', for: 1m, zone: Pacific/Apia}}\n`).join('')}`,
  'windows with errors': `initial: s0\nstates:\n${times(900, (i) => `  s${i}: {window: {cron: '${values(61)} * * * *', for: 1m, cutoff: 1h, zone: Z${i}}}\n`).join('')}`,
  'many actions': upTo('initial: a\nstates:\n  a:\n    exit:\n', (i) => `    - {cancel: c${i}}\n`),
  'names that grow with each level': deepNames(),

  // Its targets
  'unknown targets': upTo('initial: a\nstates:\n  a:\n    on:\n', (i) => `      e${i}: t${i}\n`),
  'unknown targets among many states': upTo(
    `initial: s0\nstates:\n${times(900, (i) => `  s${i}: {id: i${i}}\n`).join('')}  z:\n    on:\n`,
    (i) => `      e${i}: '#t${i}'\n`,
  ),
  'unknown targets among deep states': upTo(
    `initial: s0\nstates:\n${times(500, (i) => `  s${i}: {initial: t, states: {t: {}}}\n`).join('')}  z:\n    on:\n`,
    (i) => `      e${i}: s${i % 500}.u\n`,
  ),
  'a target with many dots': a(`{on: {go: '#${fill('a.', 200_000)}'}}`),
  'many targets with many dots': upTo(
    'initial: a\nstates:\n  a:\n    id: a\n    on:\n',
    (i) => `      e${i}: '#a${'.a'.repeat(500)}'\n`,
  ),
  'a target with many dots that are keys': `initial: a\nstates:\n  a: {id: a, on: {go: '#${'a.'.repeat(1_000)}'}, initial: a, states: {a: {}}}\n`,
  'many targets at once': `type: parallel\nstates:\n${times(60, (i) => `  r${i}: {initial: x, states: {x: {}, y: {}}}\n`).join('')}  z:\n    on:\n${times(60, (i) => `      e${i}: {target: [${times(60, (k) => `'#root.r${k}.y'`).join(', ')}]}\n`).join('')}id: root\n`,
  'one target many times at once': a(`{on: {go: {target: [${fill('a,', 200_000)}a]}}}`),
  'done events of states that there are not': upTo(
    'initial: a\nstates:\n  a:\n    on:\n',
    (i) => `      xstate.done.state.b${i}: a\n`,
  ),
  'done events among many states': upTo(
    `initial: s0\nstates:\n${times(900, (i) => `  s${i}: {}\n`).join('')}  z:\n    on:\n`,
    (i) => `      xstate.done.state.s${i % 900}: {description: x${i}}\n`,
  ),
  'ids that are all the same': `initial: s0\nstates:\n${times(998, (i) => `  s${i}: {id: x}\n`).join('')}`,
  'a chain of always': `initial: s0\nstates:\n${times(997, (i) => `  s${i}: {always: s${i + 1}}\n`).join('')}  s997: {}\n`,
  'always that lead to parallel states': `initial: s0\nstates:\n${times(15, (i) => `  s${i}:\n    type: parallel\n    always: {target: s${(i + 1) % 15}, guard: context.n}\n    states: {${times(60, (k) => `r${k}: {always: {target: '#end', guard: context.n}}`).join(', ')}}\n`).join('')}  end: {id: end}\n`,
  'too many regions': `type: parallel\nstates:\n${times(998, (i) => `  r${i}: {}\n`).join('')}`,

  // Its expressions
  'many small guards': guards((i) => `context.n == ${i}`),
  'many guards with an error': guards((i) => `context.n == ${i} &&`),
  'many guards of unknown names': guards((i) => `x${i} == 1`),
  'many large guards': guards((i) => times(45, (k) => `context.n == ${i + k}`).join(' && ')),
  'many guards of || in braces': guards((i) => `${'('.repeat(20)}context.n == ${i}${')'.repeat(20)}`),
  'many guards that ask for states': upTo(
    `initial: s0\nstates:\n${times(900, (i) => `  s${i}: {}\n`).join('')}  z:\n    on:\n      go:\n`,
    (i) => `      - {guard: in_state("s${899 - (i % 900)}")}\n`,
  ),
  'many guards that ask for many states': upTo(
    `initial: s0\nstates:\n${times(300, (i) => `  s${i}: {}\n`).join('')}  z:\n    on:\n      go:\n`,
    (i) => `      - {guard: '${times(30, (k) => `in_state("s${(i + k) % 300}")`).join(' || ')}'}\n`,
  ),
  'many guards that ask for unknown states': upTo(
    `initial: s0\nstates:\n${times(500, (i) => `  s${i}: {}\n`).join('')}  z:\n    on:\n      go:\n`,
    (i) => `      - {guard: in_state("t${i}")}\n`,
  ),
  'many assignments': upTo(
    'initial: a\nstates:\n  a:\n    exit:\n      assign:\n',
    (i) => `        k${i}: context.n + ${i}\n`,
  ),
  'one guard by many aliases': `initial: a\nstates:\n  a:\n    on:\n      go:\n      - {guard: &g '${times(18, (k) => `context.n == ${k}`).join(' && ')}'}\n${times(600, () => '      - {guard: *g}\n').join('')}`,
  negations: a(`{on: {go: {guard: '${'!'.repeat(2_000)}context.ok'}}}`),
  signs: a(`{on: {go: {guard: '${'- '.repeat(1_000)}1 == 1'}}}`),
  'negations and braces': a(`{on: {go: {guard: '${'!('.repeat(900)}true${')'.repeat(900)}'}}}`),
  'a chain of &&': a(`{on: {go: {guard: '${times(400, () => 'true').join('&&')}'}}}`),
  'a chain of +': a(`{on: {go: {guard: '${times(900, () => '1').join('+')} == 1'}}}`),
  'a chain of ternaries': a(
    `{on: {go: {guard: '${times(300, () => 'true?').join('')}true${times(300, () => ':true').join('')}'}}}`,
  ),
  'braces that open in an expression': a(`{on: {go: {guard: '${'('.repeat(2_000)}'}}}`),
  'brackets that open in an expression': a(`{on: {go: {guard: '${'['.repeat(2_000)}'}}}`),
  dots: a(`{on: {go: {guard: 'context${'.a'.repeat(1_000)}'}}}`),
  indices: a(`{on: {go: {guard: 'context${'[0]'.repeat(600)}'}}}`),
  'a long string': a(`{on: {go: {guard: '"${'x'.repeat(2_000)}" == ""'}}}`),
  'a string without an end': a(`{on: {go: {guard: '"""${'x'.repeat(2_000)}'}}}`),
};

/** 30 levels whose keys are long, and many states in the innermost: every name holds all keys above it. */
function deepNames(): string {
  const key = (level: number) => `${String.fromCharCode(97 + (level % 26))}${'x'.repeat(1_000)}`;
  let inner: object = mapping(300, (i) => [`s${i}`, { on: { update: `s${(i + 1) % 300}` } }]);
  let initial = 's0';
  for (let level = 0; level < 29; level++) {
    inner = { [key(level)]: { initial, states: inner } };
    initial = key(level);
  }
  return JSON.stringify({ initial, states: inner });
}

/** A chart, and the event that it answers at great cost; its root is called `root`. */
export interface HostileChart {
  readonly text: string;
  readonly event: string;
}

const chart = (data: object, event = 'go'): HostileChart => ({
  text: JSON.stringify({ id: 'root', ...data }),
  event,
});
const loop = (more: object, context: object = {}) =>
  chart({ initial: 'a', context, states: { a: { on: { go: { actions: { raise: 'go' }, ...more } } } } });
/** A guard that is asked at every microstep of a loop, which is over once it is false. */
const guardLoop = (guard: string, context: object = {}) => loop({ guard }, context);
const assignLoop = (assign: object, context: object = {}) =>
  loop({ actions: [{ assign }, { raise: 'go' }] }, context);
const once = (guard: string, context: object = {}) =>
  chart({ initial: 'a', context, states: { a: { on: { go: { guard, target: 'b' } } }, b: {} } });
const sum = (count: number, part: string, operator = ' + ') => times(count, () => part).join(operator);
const list = (count: number, value: unknown = 1) => times(count, () => value);
const text = (length: number) => 'x'.repeat(length);
const regions = (count: number, make: (i: number) => object) => mapping(count, (i) => [`r${i}`, make(i)]);
const twoStates = (on: object = { go: 'b' }) => ({
  initial: 'a',
  states: { a: { on }, b: { on: { go: 'a' } } },
});
const nested = (depth: number, leaf: object): object =>
  depth === 0 ? leaf : { initial: 's', states: { s: nested(depth - 1, leaf) } };

/** Charts that are accepted (or refused for good reasons), each with an event. */
export const CHARTS: Readonly<Record<string, HostileChart>> = {
  // Loops without an end
  'a raise that raises itself': loop({}),
  'a raise that raises itself ten times': loop({ actions: list(10, { raise: 'go' }) }),
  'a raise that raises itself a thousand times': loop({ actions: list(1_000, { raise: 'go' }) }),
  'a raise that raises itself 5,000 times': loop({ actions: list(5_000, { raise: 'go' }) }),
  'cancels without number': loop({ actions: [...list(1_000, { cancel: 'x' }), { raise: 'go' }] }),
  'cancels without number, once': loop({ actions: list(9_000, { cancel: 'x' }) }),
  'timers set and cancelled': loop({
    actions: [{ raise: { event: 'x', delay: 1_000, id: 'x' } }, { cancel: 'x' }, { raise: 'go' }],
  }),
  'timers without number': loop({ actions: [{ raise: { event: 'x', delay: 1_000 } }, { raise: 'go' }] }),
  'a thousand timers, cancelled 5,000 times': chart({
    initial: 'a',
    states: {
      a: {
        entry: list(1_000, { raise: { event: 'x', delay: 1_000, id: 'x' } }),
        on: { go: { actions: list(5_000, { cancel: 'y' }) } },
      },
    },
  }),
  'always to and fro': chart({
    initial: 'a',
    states: {
      a: { on: { go: 'b' } },
      b: { always: { target: 'c', guard: 'true' } },
      c: { always: { target: 'b', guard: 'true' } },
    },
  }),
  'always in 32 regions': chart({
    type: 'parallel',
    context: { n: 0 },
    states: regions(32, () => ({
      initial: 'a',
      states: {
        a: { on: { go: 'b' } },
        b: { always: { target: 'c', guard: 'true' } },
        c: { always: { target: 'b', guard: 'true' } },
      },
    })),
  }),
  'a state that is entered with 5,000 actions, again and again': chart({
    initial: 'a',
    states: {
      a: {
        entry: list(5_000, { cancel: 'x' }),
        on: { go: { target: 'a', reenter: true, actions: { raise: 'go' } } },
      },
    },
  }),
  'exits of 5,000 actions, once': chart({
    initial: 'a',
    states: { a: { exit: list(9_000, { cancel: 'x' }), on: { go: 'b' } }, b: {} },
  }),
  'constants assigned without number': loop({
    actions: [...list(500, { assign: { n: 1 } }), { raise: 'go' }],
  }),
  'many keys assigned': assignLoop(mapping(500, (i) => [`k${i}`, 1])),
  'a loop in 30 levels': chart({ ...nested(29, { on: { go: { actions: { raise: 'go' } } } }) }),
  'a loop that leaves 30 levels': chart({
    ...nested(29, { on: { go: { target: '#root', reenter: true, actions: { raise: 'go' } } } }),
    id: 'root',
  }),
  'a loop that passes 900 transitions': chart({
    initial: 'a',
    context: {},
    states: {
      a: {
        on: { go: [...list(900, { guard: 'in_state("b")', target: 'b' }), { actions: { raise: 'go' } }] },
      },
      b: {},
    },
  }),
  'a loop past 900 wildcards': chart({
    initial: 'a',
    states: {
      a: { on: { ...mapping(900, (i) => [`e${i}.*`, 'b']), '*': { actions: { raise: 'go' } } } },
      b: {},
    },
  }),
  'a long event past 1,000 long wildcards': chart(
    {
      initial: 'a',
      states: { a: { on: mapping(1_000, (i) => [`${'a.'.repeat(100)}b${i}.*`, 'b']) }, b: {} },
    },
    'a.'.repeat(127),
  ),
  'a loop through all states': chart({
    initial: 's0',
    states: mapping(990, (i) => [
      `s${i}`,
      { on: { go: { target: `s${(i + 1) % 990}`, actions: { raise: 'go' } } } },
    ]),
  }),
  'a loop over a deep history': chart({
    initial: 'p',
    states: {
      p: {
        type: 'parallel',
        states: { ...regions(60, () => twoStates({})), h: { type: 'history', history: 'deep' } },
        on: { go: { target: 'q', actions: { raise: 'go' } } },
      },
      q: { on: { go: { target: 'p.h', actions: { raise: 'go' } } } },
    },
  }),

  // Regions
  '32 regions that move': chart({ type: 'parallel', states: regions(32, () => twoStates()) }),
  '32 regions that move for ever': chart({
    type: 'parallel',
    states: { ...regions(63, () => twoStates()), z: { on: { go: { actions: { raise: 'go' } } } } },
  }),
  '32 regions, of which one loops': chart({
    type: 'parallel',
    states: { ...regions(63, () => twoStates({})), z: { on: { go: { actions: { raise: 'go' } } } } },
  }),
  '32 regions that all raise': chart({
    type: 'parallel',
    states: regions(32, () => ({ on: { go: { actions: { raise: 'go' } } } })),
  }),
  '32 regions that reenter their parent': chart({
    initial: 'p',
    states: {
      p: {
        type: 'parallel',
        states: regions(32, () => ({ on: { go: { target: '#p', reenter: true } } })),
        id: 'p',
      },
    },
  }),
  '32 regions with 14 states above each': chart({
    type: 'parallel',
    states: regions(32, () => nested(14, { on: { go: { actions: { assign: { n: 1 } } } } })),
  }),
  '32 regions entered by 32 targets': chart({
    initial: 'a',
    states: {
      a: { on: { go: { target: times(64, (i) => `p.r${i}.b`) } } },
      p: { type: 'parallel', states: regions(32, () => twoStates()) },
    },
  }),
  '32 regions that ask for states, in a loop': chart({
    type: 'parallel',
    states: {
      ...regions(60, () => ({
        initial: 'a',
        states: { a: { always: { target: 'b', guard: 'in_state("z") && !in_state("z")' } }, b: {} },
      })),
      z: { on: { go: { actions: { raise: 'go' } } } },
    },
  }),
  'nested parallel states': chart({
    type: 'parallel',
    states: regions(4, () => ({
      type: 'parallel',
      states: regions(4, () => ({ type: 'parallel', states: regions(4, () => twoStates()) })),
    })),
  }),
  'regions that are done one after the other': chart({
    initial: 'p',
    states: {
      p: {
        type: 'parallel',
        states: regions(32, () => ({
          initial: 'a',
          states: { a: { on: { go: 'z' } }, z: { type: 'final' } },
        })),
        onDone: 'q',
      },
      q: {},
    },
  }),

  // Expressions
  'a macro over a long list': guardLoop('context.l.all(x, x == 1)', { l: list(5_000) }),
  'a macro over a long list in a loop of 1,000': assignLoop(
    { n: 'context.n + 1', m: 'context.l.filter(x, x > context.n).size()' },
    { n: 0, m: 0, l: list(100) },
  ),
  'a macro over a list of its own': guardLoop(`[${list(64).join(',')}].all(c, ${sum(50, 'c')} > 0)`),
  'a macro over a text cut up': once('context.s.split("").all(c, context.s.split("").size() > 0)', {
    s: text(3_000),
  }),
  'a macro over a text of its own cut up': once(
    `"${text(900)}".split("").all(c, "${text(900)}".split("").size() > 0)`,
  ),
  'a macro over a text of its own cut up, in a loop': guardLoop(`"${text(400)}".split("").all(c, c == "x")`),
  'a macro that looks through a text': once('context.s.split("").all(c, !context.s.contains(c + "b"))', {
    s: text(20_000),
  }),
  'a macro over a sum of lists': once(`(${sum(30, 'context.l')}).all(x, x == 1)`, { l: list(4_000) }),
  'a macro over a sum of lists of its own': guardLoop(
    `(${sum(20, '[1,2,3,4]')}).map(x, x + 1).filter(x, x > 0).map(x, x * 2).size() > 0`,
  ),
  'macros in a row': guardLoop(
    'context.l.map(x, x + 1).map(x, x + 1).map(x, x + 1).filter(x, x > 0).all(x, x > 0)',
    { l: list(300) },
  ),
  'time zones': guardLoop(
    sum(12, 'timestamp("2020-01-01T00:00:00Z").getHours("Europe/Berlin") >= 0', ' && '),
  ),
  'time zones in a macro': guardLoop(
    `[${list(64).join(',')}].all(c, timestamp("2020-01-01T00:00:00Z").getHours("Europe/Berlin") >= 0)`,
  ),
  'JSON in a text': guardLoop(
    `[${list(30).join(',')}].all(x, bytes('{"a": [${list(500).join(',')}]}').json() != {})`,
  ),
  'texts doubled by bind': once(
    `cel.bind(a, ${sum(20, 'context.s')}, cel.bind(b, ${sum(20, 'a')}, cel.bind(c, ${sum(20, 'b')}, c.size() > 0)))`,
    { s: text(60_000) },
  ),
  'texts doubled by bind, in a loop': guardLoop(
    `cel.bind(a, ${sum(20, 'context.s')}, cel.bind(b, ${sum(20, 'a')}, b.contains("y") || true))`,
    { s: text(600) },
  ),
  'lists doubled by bind': once(
    `cel.bind(a, ${sum(4, '[1,2,3,4]')}, cel.bind(b, ${sum(20, 'a')}, cel.bind(c, ${sum(20, 'b')}, cel.bind(d, ${sum(20, 'c')}, d == d))))`,
  ),
  'lists doubled by a macro': once(
    '[1].map(a, [a,a,a,a,a,a,a,a]).map(b, b + b + b + b + b + b + b + b).map(c, c + c + c + c + c + c + c + c).map(d, d + d + d + d + d + d + d + d).map(e, e + e + e + e + e + e + e + e).map(f, f + f + f + f + f + f + f + f).map(g, g + g + g + g + g + g + g + g).size() > 0',
  ),
  'texts added to each other': guardLoop(`(${sum(60, 'context.s')}).size() > 0`, { s: text(60_000) }),
  'texts added to each other and searched': guardLoop(`!(${sum(60, 'context.s')}).contains("y")`, {
    s: text(10_000),
  }),
  'texts compared': guardLoop(sum(28, 'context.s == context.t', ' && '), {
    s: text(30_000),
    t: text(30_000),
  }),
  'texts searched': guardLoop(sum(25, '!context.s.contains(context.t)', ' && '), {
    s: `${text(30_000)}`,
    t: `${text(15_000)}y`,
  }),
  'texts in small letters': guardLoop(sum(25, 'context.s.lowerAscii() != ""', ' && '), { s: text(60_000) }),
  'texts cut up and joined': guardLoop('context.s.split("").join("") == context.s', { s: text(5_000) }),
  'lists compared': guardLoop(sum(28, 'context.l == context.m', ' && '), { l: list(3_000), m: list(3_000) }),
  'lists searched': guardLoop(sum(30, '!(2 in context.l)', ' && '), { l: list(6_000) }),
  'mappings compared': guardLoop(sum(28, 'context.l == context.m', ' && '), {
    l: mapping(1_000, (i) => [`k${i}`, i]),
    m: mapping(1_000, (i) => [`k${i}`, i]),
  }),
  'large numbers': guardLoop(sum(45, '9223372036854775807 % 1000003', ' + ').concat(' >= 0')),
  'a guard of 190 parts': guardLoop(sum(39, 'context.n == 0', ' && '), { n: 0 }),
  'many guards': chart({
    initial: 'a',
    context: { n: 0 },
    states: {
      a: {
        on: {
          go: [
            ...times(900, (i) => ({ guard: `context.n == ${i + 1}`, target: 'b' })),
            { actions: { raise: 'go' } },
          ],
        },
      },
      b: {},
    },
  }),
  'guards that fail': chart({
    initial: 'a',
    states: {
      a: {
        on: {
          go: [
            ...times(900, (i) => ({ guard: `context.k${i}.l == 1`, target: 'b' })),
            { actions: { raise: 'go' } },
          ],
        },
      },
      b: {},
    },
  }),

  // The context
  'a text that doubles': assignLoop({ s: 'context.s + context.s' }, { s: 'x' }),
  'a list that doubles': assignLoop({ l: 'context.l + context.l' }, { l: [1] }),
  'a list that holds itself twice': assignLoop({ l: '[context.l, context.l]' }, { l: [1] }),
  'a list that holds itself': assignLoop({ l: '[context.l]' }, { l: [1] }),
  'a mapping that holds itself': assignLoop({ m: '{"a": context.m, "b": context.m}' }, { m: 1 }),
  'a list that grows': assignLoop({ l: 'context.l + [context.l.size()]' }, { l: [] }),
  'a large context, counted up': assignLoop({ n: 'context.n + 1' }, { n: 0, s: text(60_000) }),
  'a large context of many keys, counted up': assignLoop(
    { n: 'context.n + 1' },
    { n: 0, ...mapping(2_500, (i) => [`key${i}`, i]) },
  ),
  'a context that is copied into itself': assignLoop({ c: 'context' }, { c: 1, s: text(100) }),
  'a large context, by many assigns': chart({
    initial: 'a',
    context: { s: text(60_000) },
    states: {
      a: { on: { go: { actions: times(500, (i) => ({ assign: { [`k${i % 7}`]: 'context.s.size()' } })) } } },
    },
  }),
};
