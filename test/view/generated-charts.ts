/** Generated charts with fixed seeds, to measure and to test drawings. */

/** A chart by its name. */
export interface Generated {
  readonly name: string;
  readonly text: string;
}

type States = Record<string, Record<string, unknown>>;

/** Numbers from 0 below 1: a linear congruential generator (Knuth, The Art of Computer Programming, volume 2). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const chart = (states: States, more = {}) =>
  JSON.stringify({ initial: Object.keys(states)[0], ...more, states });

/** States in a row, with an end in failure that all lead to. */
function pipeline(count: number): string {
  const states: States = {};
  for (const i of range(count - 2)) {
    states[`step_${i}`] = { on: { update: i + 3 < count ? `step_${i + 1}` : 'done', fail: 'failed' } };
  }
  states.done = { type: 'final' };
  states.failed = { type: 'final', tags: ['failed'] };
  return chart(states);
}

/** States in a row; some lead some states back, or ahead. */
function row(count: number, seed: number, share = 0.3, far = 5): string {
  const random = randomFrom(seed);
  const states: States = {};
  for (const i of range(count)) {
    const on: Record<string, unknown> = i + 1 < count ? { update: `s${i + 1}` } : {};
    if (random() < share) on.retry = `s${Math.max(0, i - 1 - Math.floor(random() * far))}`;
    if (random() < share) on.skip = `s${Math.min(count - 1, i + 2 + Math.floor(random() * far))}`;
    states[`s${i}`] = { on };
  }
  return chart(states);
}

function tangle(count: number, ways: number, seed: number): string {
  const random = randomFrom(seed);
  const states: States = {};
  for (const i of range(count)) {
    const on = Object.fromEntries(range(ways).map((way) => [`e${way}`, `s${Math.floor(random() * count)}`]));
    states[`s${i}`] = { on };
  }
  return chart(states);
}

/** A tree of states: each leads to `ways` others. */
function tree(count: number, ways: number): string {
  const states: States = {};
  for (const i of range(count)) {
    const targets = range(ways).map((way) => i * ways + way + 1);
    const on = Object.fromEntries(
      targets.filter((to) => to < count).map((to, way) => [`way_${way}`, `s${to}`]),
    );
    states[`s${i}`] = { on };
  }
  return chart(states);
}

/** Phases in a row, each with steps inside; failures lead out of the phase, to a rollback. */
function phases(count: number, steps: number, seed: number): string {
  const random = randomFrom(seed);
  const states: States = {};
  for (const phase of range(count)) {
    const inside: States = {};
    for (const step of range(steps)) {
      const isLast = step + 1 === steps;
      const next = phase + 1 < count ? `#phase_${phase + 1}` : '#done';
      const on: Record<string, unknown> = { update: isLast ? next : `step_${step + 1}` };
      if (random() < 0.4) on.fail = '#rollback';
      if (random() < 0.2 && step > 0) on.again = `step_${step - 1}`;
      if (random() < 0.1 && phase > 0) on.restart = `#phase_${phase - 1}`;
      inside[`step_${step}`] = {
        on,
        ...(random() < 0.2 ? { after: { '30m': '#rollback' } } : {}),
      };
    }
    states[`phase_${phase}`] = {
      id: `phase_${phase}`,
      initial: 'step_0',
      states: inside,
      ...(random() < 0.3 ? { on: { abort: 'rollback' } } : {}),
    };
  }
  states.rollback = { id: 'rollback', on: { update: 'rolled_back' } };
  states.rolled_back = { type: 'final', tags: ['failed'] };
  states.done = { id: 'done', type: 'final' };
  return chart(states);
}

/** Compounds in compounds, to a depth, with arrows between any two states. */
function deep(count: number, depth: number, seed: number): string {
  const random = randomFrom(seed);
  const ids: string[] = [];
  const make = (size: number, left: number): States => {
    const states: States = {};
    const children = left === 0 ? size : Math.min(size, 3 + Math.floor(random() * 3));
    for (const child of range(children)) {
      const own = Math.floor((size - children) / children) + (child < (size - children) % children ? 1 : 0);
      const id = `n${ids.length}`;
      ids.push(id);
      states[id] = { id };
      if (left > 0 && own > 1) {
        const inside = make(own, left - 1);
        Object.assign(states[id] ?? {}, { initial: Object.keys(inside)[0], states: inside });
      }
    }
    const keys = Object.keys(states);
    for (const [i, key] of keys.entries()) {
      const on: Record<string, unknown> = {};
      const next = keys[i + 1];
      if (next !== undefined) on.update = next;
      if (random() < 0.2) on.jump = `#${ids[Math.floor(random() * ids.length)]}`;
      Object.assign(states[key] ?? {}, { on });
    }
    return states;
  };
  return chart(make(count, depth));
}

function regions(count: number, inside: string): string {
  const states = Object.fromEntries(range(count).map((i) => [`region_${i}`, JSON.parse(inside)]));
  const all = { type: 'parallel', states, onDone: 'done', on: { abort: 'aborted' } };
  return chart({ all, done: { type: 'final' }, aborted: { type: 'final', tags: ['failed'] } });
}

function loops(count: number): string {
  const states: States = {};
  for (const i of range(count)) {
    states[`s${i}`] = {
      on: {
        again: { target: `s${i}`, reenter: true },
        update: `s${(i + 1) % count}`,
        ...(i % 3 === 0
          ? { 'poll [a long guard]': { target: `s${i}`, reenter: true, guard: 'context.n > 1' } }
          : {}),
        ...(i > 0 ? { back: `s${i - 1}` } : {}),
      },
    };
  }
  return chart(states, { context: { n: 0 } });
}

/** Twenty charts: flat ones of 200 states, nested ones of 60 and of 200, parallel ones, loops, and ones of 1,000. */
export function generatedCharts(): Generated[] {
  return [
    { name: 'flat 200, a pipeline', text: pipeline(200) },
    { name: 'flat 200, a row', text: row(200, 1) },
    { name: 'flat 200, a row with far ways', text: row(200, 2, 0.3, 40) },
    { name: 'flat 200, a tree', text: tree(200, 3) },
    { name: 'flat 200, a tangle', text: tangle(200, 2, 3) },
    { name: 'flat 60, a row', text: row(60, 4) },
    { name: 'flat 60, a tangle', text: tangle(60, 2, 5) },
    { name: 'nested 60, phases', text: phases(8, 6, 6) },
    { name: 'nested 60, long phases', text: phases(4, 13, 7) },
    { name: 'nested 60, deep', text: deep(60, 2, 8) },
    { name: 'nested 60, deeper', text: deep(60, 4, 9) },
    { name: 'nested 200, phases', text: phases(20, 9, 10) },
    { name: 'nested 200, long phases', text: phases(8, 24, 11) },
    { name: 'nested 200, deep', text: deep(200, 3, 12) },
    { name: 'parallel 60', text: regions(6, row(9, 13)) },
    { name: 'parallel 200', text: regions(16, row(11, 14)) },
    { name: 'loops 12', text: loops(12) },
    { name: 'loops 60', text: loops(60) },
    { name: '1,000 in a row', text: row(999, 15, 0.2) },
    { name: '1,000 in phases', text: phases(60, 15, 16) },
  ];
}
