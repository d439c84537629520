/** Randomly mutated charts: each is accepted, or refused with errors that have a position. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  type Chart,
  type ChartIssue,
  fire,
  isReservedEvent,
  nextTimer,
  readChart,
  send,
  start,
} from '../../src/chart/chart.ts';
import sequences from '../conformance/sequence.json';
import statecharts from '../conformance/statechart.json';
import { FUZZ, timeOf } from '../fuzz.ts';
import { throughStorage } from './run.ts';

const { runs: CHARTS, seed } = FUZZ;
/** The bound for one chart, from its text to its last event, ms. */
const MOST = 250;

/** Writes no anchors and aliases. */
const UNSHARED = { aliasDuplicateObjects: false } as const;

const examples = import.meta.glob('../../charts/**/*.yaml', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const originals: readonly string[] = [
  ...Object.values(examples),
  ...sequences.map(({ chart }) => chart),
  ...statecharts.map(({ chart }) => stringify(chart, UNSHARED)),
];

/** Texts that an attacker or a careless author could write. */
const TOKENS = [
  ...['__proto__', 'constructor', 'prototype', 'toString', '__proto__: {polluted: true}', 'hasOwnProperty'],
  ...[
    '&a',
    '*a',
    '&a [*a]',
    '<<: *a',
    '? ',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '|',
    '>',
    '#',
    '%',
    '@',
    '`',
  ],
  ...[
    '!!js/function',
    '!!binary',
    '!!set',
    '!!str',
    '!',
    '---',
    '...',
    '%YAML 1.1\n---',
    '\t',
    '\r',
    '\u0000',
    '\uFEFF',
  ],
  ...[
    '\uD800',
    '\u2028',
    '😀',
    '',
    '~',
    'null',
    'true',
    '0',
    '-0',
    '1e999',
    '.inf',
    '.nan',
    '0x1F',
    '0o17',
    '1_000',
  ],
  ...[
    '99999999999999999999',
    '-1',
    '1.5',
    '{}',
    '[]',
    '[1]',
    '{a: 1}',
    '{a: {a: {a: 1}}}',
    '""',
    "''",
    '*',
    '#',
    '#a',
    '.',
  ],
  ...[
    '.a',
    'a.b.c',
    '..',
    'xstate.init',
    'xstate.done.state.a',
    'done.state.a',
    'error.x',
    'in_state("a")',
    '!in_state("b")',
  ],
  ...[
    'context.n + 1',
    'context.__proto__',
    'context',
    '(',
    '1 +',
    'context.l.map(x, x.map(y, y))',
    '{context: 1}',
  ],
  ...[
    'context.s.matches("(a+)+$")',
    'context.s + context.s',
    '1 / 0',
    'states',
    'initial',
    'always',
    'on',
    'target',
    'guard',
  ],
  ...[
    'type: parallel',
    'type: final',
    'type: history',
    'quorum: 3',
    'after: {0: a}',
    'at: {2000-01-01T00:00:00Z: a}',
    'reenter',
  ],
  ...[
    'entry: {raise: update}',
    'exit: {assign: {n: context.n}}',
    'invoke: {src: x}',
    'current_state',
    'func',
    'increment',
    'time',
  ],
];

/** One mutation of a text; the numbers choose the place. */
interface Mutation {
  readonly kind: (typeof KINDS)[number];
  readonly at: number;
  readonly to: number;
  readonly token: string;
}
const KINDS = [
  'delete-line',
  'copy-line',
  'swap-lines',
  'indent-line',
  'replace-scalar',
  'swap-scalars',
  'insert',
  'delete-characters',
  'splice',
] as const;

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: fc.nat(1_000_000),
  to: fc.nat(1_000_000),
  token: fc.constantFrom(...TOKENS),
});

/** One mutation of a chart's data, so that its text is still YAML; the numbers choose the place. */
interface Graft {
  readonly kind: 'delete' | 'rename' | 'replace' | 'take-from-another' | 'add';
  readonly at: number;
  readonly from: number;
  readonly value: unknown;
}

const graft: fc.Arbitrary<Graft> = fc.record({
  kind: fc.constantFrom('delete', 'rename', 'replace', 'take-from-another', 'add'),
  at: fc.nat(1_000_000),
  from: fc.nat(1_000_000),
  value: fc.constantFrom(
    ...[
      null,
      true,
      0,
      -1,
      1.5,
      7,
      '',
      'a',
      'b',
      [],
      {},
      ['a'],
      { a: 'a' },
      { target: 'a', quorum: 2 },
      { raise: 'update' },
    ],
    ...[
      { assign: { n: 'context.n + 1' } },
      { raise: { event: 'update', delay: '1s' } },
      { cancel: 'a' },
      { guard: 'context.n > 0' },
    ],
    ...[
      'context.n > 0',
      '!in_state("a") && context.n == 1',
      '1s',
      '2000-01-01T00:00:00Z',
      'parallel',
      'final',
      'history',
      'deep',
    ],
    ...[
      { always: 'a' },
      { type: 'final' },
      { initial: 'a', states: { a: {}, b: {} } },
      { type: 'parallel', states: { a: {}, b: {} } },
    ],
  ),
});

const spoilt = fc.record({
  original: fc.nat(originals.length - 1),
  grafts: fc.array(graft, { maxLength: 4 }),
  mutations: fc.oneof(fc.constant<Mutation[]>([]), fc.array(mutation, { minLength: 1, maxLength: 4 })),
});

it(
  `${CHARTS} mutated charts are accepted and run, or are refused with errors that have a position`,
  () => {
    console.log(`fuzz: seed ${seed}`);
    const globals = globalNames();
    let accepted = 0;
    let refused = 0;
    let slowest = 0;
    fc.assert(
      fc.property(spoilt, ({ original, grafts, mutations }) => {
        const text = mutations.reduce(mutate, grafts.reduce(engraft, originals[original] ?? ''));
        const before = performance.now();
        const wasAccepted = tryOut(text);
        const took = performance.now() - before;
        slowest = Math.max(slowest, took > MOST ? leastTime(text) : took);
        expect(slowest).toBeLessThan(MOST);
        expect(globalNames()).toEqual(globals);
        if (wasAccepted) accepted += 1;
        else refused += 1;
      }),
      { numRuns: CHARTS, seed },
    );
    console.log(`fuzz: ${accepted} accepted, ${refused} refused, the slowest took ${slowest.toFixed(1)} ms`);
    expect(accepted + refused).toBe(CHARTS);
    // If all or none are refused, the mutations are too strong or too weak to show anything.
    expect(accepted).toBeGreaterThan(CHARTS / 20);
    expect(refused).toBeGreaterThan(CHARTS / 20);
  },
  timeOf(120_000),
);

/** @returns whether the chart was accepted. Throws if an invariant does not hold. */
function tryOut(text: string): boolean {
  const reading = readChart(text);
  for (const issue of reading.warnings) expectLocated(issue, text);
  if (reading.ok) {
    run(reading.chart);
    return true;
  }
  expect(reading.errors.length).toBeGreaterThan(0);
  for (const issue of reading.errors) expectLocated(issue, text);
  return false;
}

function expectLocated({ line, column, path, message }: ChartIssue, text: string): void {
  const found = text.replace(/^\uFEFF/, '').split('\n')[line - 1];
  const isInside = found !== undefined && column >= 1 && column <= found.length + 1;
  if (isInside && message.length > 0 && typeof path === 'string') return;
  throw new Error(
    `an issue is reported at ${line}:${column}, which is not in the text: ${JSON.stringify(message)}`,
  );
}

/** Starts a chart, sends it every event that it names, and lets some of its timers fire. */
function run(chart: Chart): void {
  const first = start(chart, 0);
  if (!first.ok) throw new Error(`an accepted chart does not start: ${first.detail}`);
  let snapshot = throughStorage(chart, first.snapshot);
  const named = chart.model.states.flatMap(({ on = [] }) =>
    on.map(({ event }) => event.replaceAll('*', 'x')),
  );
  const events = ['update', ...new Set(named)].filter((event) => event !== '' && !isReservedEvent(event));
  for (const type of events.slice(0, 12)) {
    const step = send(chart, snapshot, { type, address: 0 }, 0);
    if (step.ok) snapshot = throughStorage(chart, step.snapshot);
    const timer = nextTimer(snapshot.timers.values());
    const fired = timer && fire(chart, snapshot, timer);
    if (fired?.ok) snapshot = throughStorage(chart, fired.snapshot);
  }
}

/** Values that change if a prototype is written to. */
function globalNames(): unknown {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((prototype) =>
    Object.getOwnPropertyNames(prototype),
  );
}

/** @returns the shortest of three runs: one slow run can be garbage collection. */
function leastTime(text: string): number {
  const times = [1, 2, 3].map(() => {
    const before = performance.now();
    tryOut(text);
    return performance.now() - before;
  });
  return Math.min(...times);
}

type Holder = Record<string, unknown> | unknown[];

/** Every place in a document's data: its container and key. */
function placesIn(data: unknown): [holder: Holder, key: string][] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([key, inner]) => [
    [data as Holder, key] as [Holder, string],
    ...placesIn(inner),
  ]);
}

function engraft(text: string, { kind, at, from, value }: Graft): string {
  const data = parse(text);
  const places = placesIn(data);
  const [holder, key] = places[at % Math.max(1, places.length)] ?? [];
  if (holder === undefined || key === undefined) return text;
  const put = (where: string, what: unknown) => Reflect.set(holder, where, what);
  const foreign = placesIn(parse(originals[from % originals.length] ?? ''));
  const [otherHolder, otherKey] = foreign[at % Math.max(1, foreign.length)] ?? [];
  const taken = otherHolder && otherKey && Reflect.get(otherHolder, otherKey);
  if (kind === 'delete') Reflect.deleteProperty(holder, key);
  else if (kind === 'rename') {
    put(otherKey ?? 'a', Reflect.get(holder, key));
    Reflect.deleteProperty(holder, key);
  } else if (kind === 'add') put(otherKey ?? 'a', value);
  else put(key, kind === 'replace' ? value : taken);
  return stringify(data, UNSHARED);
}

function mutate(text: string, { kind, at, to, token }: Mutation): string {
  const lines = text.split('\n');
  const [from, other] = [at % lines.length, to % lines.length];
  const line = lines[from] ?? '';
  switch (kind) {
    case 'delete-line':
      return lines.toSpliced(from, 1).join('\n');
    case 'copy-line':
      return lines.toSpliced(other, 0, line).join('\n');
    case 'swap-lines':
      return lines
        .with(from, lines[other] ?? '')
        .with(other, line)
        .join('\n');
    case 'indent-line':
      return lines.with(from, to % 2 === 0 ? ` ${line}` : line.replace(/^ /, '')).join('\n');
    case 'replace-scalar':
      return replaceScalar(text, at, () => token);
    case 'swap-scalars': {
      const scalars = text.match(SCALAR) ?? [''];
      return replaceScalar(text, at, () => scalars[to % scalars.length] ?? '');
    }
    case 'insert': {
      const place = at % (text.length + 1);
      return `${text.slice(0, place)}${token}${text.slice(place)}`;
    }
    case 'delete-characters': {
      const place = at % (text.length + 1);
      return `${text.slice(0, place)}${text.slice(place + 1 + (to % 8))}`;
    }
    case 'splice': {
      // A part of another chart, with its indentation.
      const foreign = (originals[to % originals.length] ?? '').split('\n');
      const begin = at % foreign.length;
      return lines.toSpliced(from, 0, ...foreign.slice(begin, begin + 3)).join('\n');
    }
  }
}

const SCALAR = /[^\s,:{}[\]"']+/g;

function replaceScalar(text: string, at: number, by: (scalar: string) => string): string {
  const count = text.match(SCALAR)?.length ?? 0;
  let i = 0;
  return text.replace(SCALAR, (scalar) => (i++ === at % Math.max(1, count) ? by(scalar) : scalar));
}
