/** The charts of simulated machines. Most are rings that never end, with everything that can be lost, or counted twice. */

/** A chart, and what the invariants say of it. Names of states are as the history has them. */
export interface SimulatedChart {
  /** Its address below the tenant. */
  readonly path: string;
  /** YAML, of which JSON is a part. */
  readonly text: string;
  readonly states: readonly string[];
  readonly events: readonly string[];
  /** How many counted reports leave a state. */
  readonly quorums: Readonly<Record<string, number>>;
  /** How many may hold a slot at a time. */
  readonly slots: Readonly<Record<string, number>>;
  /** After how many ms a timer leaves a state. */
  readonly after: Readonly<Record<string, number>>;
  /** Names of members; absent for a chart without a list. */
  readonly members?: readonly string[];
  /** The states of which a hook is told when they are entered. */
  readonly told?: readonly string[];
}

/** @param mark makes the text of a world its own: what an isolate keeps by text is of this world then. */
export function simulatedCharts(mark: string): readonly SimulatedChart[] {
  return [sequence(), ring(), timers(), fleet(mark), told()].map((chart) => ({
    ...chart,
    text: `# ${mark}\n${chart.text}`,
  }));
}

function sequence(): SimulatedChart {
  const counted = (name: string, value: number, target: string) => ({
    name,
    func: 'increment',
    current: { key: 'count', value: 0 },
    target: { name: target, when: { key: 'count', value } },
  });
  const states = [counted('green', 3, 'blue'), counted('blue', 2, 'red'), counted('red', 1, 'green')];
  return {
    path: 'sequence',
    text: JSON.stringify({ current_state: 'green', states }),
    states: ['green', 'blue', 'red'],
    events: ['update'],
    quorums: { green: 3, blue: 2, red: 1 },
    slots: {},
    after: {},
  };
}

function ring(): SimulatedChart {
  const states = {
    drain: { on: { update: { target: 'patch', quorum: 3 } }, after: { '9s': 'patch' } },
    patch: {
      slots: 2,
      lease: '4s',
      on: { update: { target: 'verify', quorum: 4 } },
      after: { '20s': 'verify' },
    },
    verify: { on: { update: { target: 'drain', quorum: 2 } }, after: { '3s': 'drain' } },
  };
  return {
    path: 'ring@1',
    text: JSON.stringify({ initial: 'drain', states }),
    states: ['drain', 'patch', 'verify'],
    events: ['update'],
    quorums: { drain: 3, patch: 4, verify: 2 },
    slots: { patch: 2 },
    after: { drain: 9_000, patch: 20_000, verify: 3_000 },
  };
}

function timers(): SimulatedChart {
  const region = (first: number, second: number) => ({
    initial: 'on',
    states: {
      on: { on: { update: 'off' }, after: { [`${first}ms`]: 'off' } },
      off: { entry: [{ raise: { event: 'turn', delay: second } }], on: { turn: 'on' } },
    },
  });
  const regions = { a: region(1_100, 2_300), b: region(500, 700), c: region(30_000, 5_000) };
  return {
    path: 'timers',
    text: JSON.stringify({ initial: 'all', states: { all: { type: 'parallel', states: regions } } }),
    states: ['all.a.on', 'all.b.on', 'all.c.on', 'all.a.off', 'all.b.off', 'all.c.off'],
    events: ['update'],
    quorums: {},
    slots: {},
    after: {
      'all.a.on': 1_100,
      'all.b.on': 500,
      'all.c.on': 30_000,
      'all.a.off': 2_300,
      'all.b.off': 700,
      'all.c.off': 5_000,
    },
  };
}

function fleet(mark: string): SimulatedChart {
  const states = {
    work: {
      slots: '50%',
      lease: '5s',
      cooldown: '1s',
      on: { update: { target: 'rest', quorum: '60%' }, fail: { target: 'held', quorum: 2 } },
      after: { '25s': 'rest' },
    },
    held: { on: { mended: 'work' }, after: { '6s': 'work' } },
    rest: { on: { update: { target: 'work', quorum: 'all' } }, after: { '4s': 'work' } },
  };
  return {
    path: 'fleet@1',
    text: JSON.stringify({ initial: 'work', states }),
    states: ['work', 'held', 'rest'],
    events: ['update', 'fail', 'mended'],
    quorums: {},
    slots: { work: 3 },
    after: { work: 25_000, held: 6_000, rest: 4_000 },
    members: ['m-0', 'm-1', 'm-2', 'm-3', 'm-4', `m-${mark}`],
  };
}

function told(): SimulatedChart {
  const states = {
    calm: { on: { update: { target: 'alarm', quorum: 2 } }, after: { '7s': 'alarm' } },
    alarm: { on: { update: 'calm' }, after: { '5s': 'calm' } },
  };
  return {
    path: 'told',
    text: JSON.stringify({ initial: 'calm', notify: [{ on: ['alarm', 'calm'], to: 'OPS' }], states }),
    states: ['calm', 'alarm'],
    events: ['update'],
    quorums: { calm: 2 },
    slots: {},
    after: { calm: 7_000, alarm: 5_000 },
    told: ['alarm', 'calm'],
  };
}
