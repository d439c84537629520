/** Families of hostile charts, most of them random: each generates texts of one kind and any size. */
import fc from 'fast-check';

export interface Family {
  readonly name: string;
  /** The sizes: each is compared with the one before it. */
  readonly sizes: readonly number[];
  readonly make: (size: number) => string;
}

const many = (count: number, make: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => make(i)).join(', ');

const BEFORE = ['[a ', '{a: b ', '[[a], ', 'a: [', '- ', 'a: '];
const UNITS = ['# ', ' #', '!!str ', '&a ', '*a ', ', ', '"" ', '- ', ': ', '? ', '[', '{', '\n ', '\t'];
const AFTER = ['\n, !!str , b]', '\n, &a , b]', ', !!str ]', '\n}', '\n- !!str\n- b', ']', ''];

/** Repeated lexemes between two texts: flow lists and mappings with comments, tags, anchors and quotes. */
export const YAML_FAMILIES: readonly Family[] = BEFORE.flatMap((before) =>
  UNITS.flatMap((unit) =>
    AFTER.map((after) => ({
      name: JSON.stringify([before, unit, after]),
      // A pattern that backtracks is found with the small sizes, and the search ends there.
      sizes: [4, 8, 16, 32, 2_048],
      make: (size: number) => `${before}${unit.repeat(size)}${after}`,
    })),
  ),
);

/** Nested states, with leaves in the innermost. */
const nested: fc.Arbitrary<Family> = fc
  .record({ depth: fc.integer({ min: 1, max: 28 }), length: fc.constantFrom(1, 10, 100, 500, 1_000) })
  .map(({ depth, length }) => ({
    name: `leaves below ${depth} names of ${length} characters`,
    sizes: [14, 56, 224, 896],
    make: (size) => {
      const name = 'n'.repeat(length);
      let states = `initial: l0, states: {${many(size, (i) => `l${i}: {}`)}}`;
      for (let i = 0; i < depth; i++) states = `initial: ${name}${i}, states: {${name}${i}: {${states}}}`;
      return `{${states}}`;
    },
  }));

/** Repeated parts of a state. */
const PARTS: Readonly<Record<string, (count: number) => string>> = {
  timers: (count) => `after: {${many(count, (i) => `${1_000 + i}: b`)}}`,
  events: (count) => `on: {${many(count, (i) => `e${i}: b`)}}`,
  guards: (count) => `on: {go: [${many(count, (i) => `{target: b, guard: context.n == ${i + 1}}`)}]}`,
  actions: (count) => `on: {go: {actions: [${many(count, () => '{assign: {n: context.n + 1}}')}]}}`,
  counts: (count) => `on: {${many(count, (i) => `e${i}: {quorum: 2, target: b}`)}}`,
};

/** Regions, each with the same parts. */
const parts: fc.Arbitrary<Family> = fc
  .record({ part: fc.constantFrom(...Object.keys(PARTS)), regions: fc.integer({ min: 1, max: 16 }) })
  .map(({ part, regions }) => ({
    name: `${part} in ${regions} regions`,
    sizes: [4, 16, 64, 256],
    make: (size) => {
      const inside = PARTS[part]?.(Math.ceil(size / regions)) ?? '';
      const states = many(regions, (i) => `r${i}: {initial: a, states: {a: {${inside}}, b: {}}}`);
      return `context: {n: 0}\ntype: parallel\nstates: {${states}}`;
    },
  }));

export const randomFamilies: fc.Arbitrary<Family> = fc.oneof(nested, parts);

/** The factor per character that noise does not reach; and a time that is noise, ms. */
const NOISE = 4;
const FLOOR = 40;

/**
 * Looks for a size at which the time grows faster than the text.
 *
 * @param timeOf measures a text, ms.
 * @returns the finding; undefined if the time grows with the text.
 */
export function fasterThanText(
  { name, sizes, make }: Family,
  timeOf: (text: string) => number,
  allowed: (ms: number, bound: number) => number,
): string | undefined {
  const measured: { readonly length: number; readonly ms: number }[] = [];
  for (const size of sizes) {
    const text = make(size);
    const ms = timeOf(text);
    for (const before of measured) {
      const growth = text.length / before.length;
      if (ms > Math.max(allowed(ms, FLOOR), NOISE * growth * before.ms))
        return `${name}: ${before.ms.toFixed(1)} ms, then ${ms.toFixed(1)} ms for ${growth.toFixed(1)} times the text (size ${size})`;
    }
    measured.push({ length: text.length, ms });
  }
  return undefined;
}
