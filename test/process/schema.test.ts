/** Tests of the JSON Schema with which editors complete and check charts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chartSchema } from '../../src/chart/json-schema.ts';
import statecharts from '../conformance/statechart.json' with { type: 'json' };

it('is the JSON Schema of the shapes (npx vitest run -u writes it)', async () => {
  await expect(`${JSON.stringify(chartSchema(), null, 2)}\n`).toMatchFileSnapshot('../../charts/schema.json');
});

interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly properties?: { readonly [key: string]: Schema | boolean };
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly definitions?: { readonly [key: string]: Schema };
}

const schema = chartSchema() as Schema;
const validate = new Ajv({ strict: false }).compile(schema);
const accepts = (yaml: string) => validate(parse(yaml));

/** The parts of a schema that apply to one place: those behind references, and all alternatives. */
function partsOf(part: Schema | boolean | undefined): readonly Schema[] {
  if (typeof part !== 'object') return [];
  const { $ref, anyOf = [], allOf = [] } = part;
  const named = $ref === undefined ? [] : [schema.definitions?.[$ref.replace('#/definitions/', '')]];
  return [part, ...[...named, ...anyOf, ...allOf].flatMap(partsOf)];
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}

/** The schemas of the place that these steps lead to: a number is an item, any other step a key. */
function at(start: Schema, steps: readonly (string | number)[]): readonly Schema[] {
  return steps.reduce<readonly Schema[]>(
    (parts, step) =>
      unique(
        parts.flatMap(({ items, properties, additionalProperties }) =>
          partsOf(typeof step === 'number' ? items : (properties?.[step] ?? additionalProperties)),
        ),
      ),
    partsOf(start),
  );
}

/** The keys that an editor completes at a place. */
function keysAt(...steps: (string | number)[]): string[] {
  return [...new Set(at(schema, steps).flatMap(({ properties = {} }) => Object.keys(properties)))];
}

describe('an editor completes', () => {
  it('the keys of a sequence and of its states', () => {
    expect(keysAt()).toEqual(expect.arrayContaining(['current_state', 'states', 'initial', 'context']));
    expect(keysAt('states', 0)).toEqual([
      'name',
      'func',
      'current',
      'target',
      'slots',
      'lease',
      'cooldown',
      'only',
      'window',
    ]);
    expect(keysAt('states', 0, 'window')).toEqual(['cron', 'for', 'zone', 'cutoff']);
    expect(keysAt('states', 0, 'window', 1)).toEqual(['cron', 'for', 'zone', 'cutoff']);
    expect(keysAt('states', 0, 'current')).toEqual(['key', 'value']);
    expect(keysAt('states', 0, 'target')).toEqual(['name', 'when']);
    expect(keysAt('states', 0, 'target', 'when')).toEqual(['key', 'value']);
  });

  it('every key of a sequence’s state in one alternative, whatever is there already', () => {
    const [list] = at(schema, ['states']).filter(({ items }) => items !== undefined);
    const state = partsOf(list?.items).filter(({ properties }) => properties?.name !== undefined);
    expect(state).toHaveLength(1);
  });

  it('the keys of a statechart’s states and transitions', () => {
    expect(keysAt('states', 'canary')).toEqual(expect.arrayContaining(['on', 'after', 'slots', 'states']));
    expect(keysAt('states', 'canary', 'on', 'update')).toEqual(
      expect.arrayContaining(['target', 'guard', 'quorum', 'actions']),
    );
  });

  it.each([
    [['states', 0]],
    [['states', 0, 'current']],
    [['states', 0, 'target', 'when']],
    [['states', 0, 'window']],
    [['states', 'canary']],
    [['states', 'canary', 'on', 'update']],
  ])('with a description for each key: %j', (steps) => {
    for (const key of keysAt(...steps)) {
      const said = at(schema, [...steps, key]).map(({ description }) => description);
      expect(said, key).toContainEqual(expect.stringMatching(/\w/));
    }
  });
});

describe('an editor accepts', () => {
  const files = readdirSync('charts', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.ya?ml$/.test(name),
  );

  it.each(files)('charts/%s', (file) => {
    expect([accepts(readFileSync(join('charts', file), 'utf8')), validate.errors]).toEqual([true, null]);
  });

  it('the statecharts of the conformance cases', () => {
    for (const { id, chart } of statecharts) expect([id, validate(chart)]).toEqual([id, true]);
  });
});

const inSequence = (state: string) => `current_state: a\nstates:\n  - ${state}\n  - {name: b}\n`;
const COUNT = 'current: {key: n, value: 0}';
const inStatechart = (state: string) => `initial: a\nstates: {a: ${state}, b: {}}\n`;

describe('an editor marks', () => {
  it.each([
    inSequence(`{name: a, func: increment, ${COUNT}, target: {name: b, when: {key: n, value: 2}}}`),
    inSequence("{name: a, func: time, target: {name: b, when: {key: t, value: '2040-01-01T00:00:00'}}}"),
    inSequence(
      `{name: 1.0, func: increment, ${COUNT}, target: {name: b, when: {key: n, value: 2}}, slots: 2, lease: 90s}`,
    ),
    inStatechart('{after: {90s: b, 30m: b, 12h: b, 7d: b, 1h30m: b, 500: b, 1.5h: b}}'),
    inStatechart("{at: {'2040-01-01T00:00:00Z': b, '2040-01-01T00:00:00+02:00': b}}"),
    inStatechart('{entry: {raise: {event: x, delay: 90s}}, slots: 3, lease: 5m}'),
    inStatechart('{window: {cron: 0 2 * * 1-5, for: 4h, zone: Europe/Berlin, cutoff: 30m}}'),
    inStatechart('{window: [{cron: 0 2 * * 1-5, for: 4h}, {cron: 0 12 * * SUN, for: 7200000}]}'),
  ])('nothing in %s', (text) => {
    expect([accepts(text), validate.errors]).toEqual([true, null]);
  });

  it.each([
    ['an unknown key of a sequence', `${inSequence('{name: a}')}version: 1\n`],
    ['an unknown key of a state of a sequence', inSequence('{name: a, slot: 3}')],
    [
      'a key that a count has not',
      inSequence(
        `{name: a, func: increment, current: {key: n, value: 0, x: 1}, target: {name: b, when: {key: n, value: 2}}}`,
      ),
    ],
    ['an unknown function', inSequence('{name: a, func: incremet}')],
    ['a count without its target', inSequence(`{name: a, func: increment, ${COUNT}}`)],
    [
      'a count until a moment',
      inSequence(
        `{name: a, func: increment, ${COUNT}, target: {name: b, when: {key: n, value: '2040-01-01T00:00:00'}}}`,
      ),
    ],
    [
      'a moment that is a number',
      inSequence('{name: a, func: time, target: {name: b, when: {key: n, value: 2}}}'),
    ],
    [
      'a moment with a wrong format',
      inSequence('{name: a, func: time, target: {name: b, when: {key: n, value: soon}}}'),
    ],
    ['a target without a function', inSequence('{name: a, target: {name: b, when: {key: n, value: 2}}}')],
    ['a wrong duration in `after`', inStatechart('{after: {soon: b}}')],
    ['a wrong duration in `lease`', inStatechart('{slots: 1, lease: 5 minutes}')],
    ['a wrong duration in `delay`', inStatechart('{entry: {raise: {event: x, delay: 1 h}}}')],
    ['a wrong moment in `at`', inStatechart('{at: {tomorrow: b}}')],
    ['an unknown key of a window', inStatechart('{window: {cron: 0 2 * * *, for: 4h, until: 6h}}')],
    ['a window without its cron', inStatechart('{window: {for: 4h}}')],
    ['an unknown key of a state', inStatechart('{leese: 5m}')],
  ])('%s', (_, text) => {
    expect(accepts(text)).toBe(false);
  });
});
