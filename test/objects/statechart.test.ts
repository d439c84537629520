/** Statecharts over HTTP: events by name, the two kinds of 406, timers, and the documents. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { NEWEST_FOR } from '../../src/objects/chart-source.ts';
import { final, newChart, putChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import {
  ask,
  bodyOf,
  evict,
  historyOf,
  inStorage,
  machinePath,
  objectAt,
  problemOf,
  report,
  send,
  statePath,
  statusOf,
  tracesOf,
} from '../service.ts';

const MINUTE = 60_000;

beginAtNoon();

/** Reports that `event` has happened in `state`. */
async function tell(address: string, state: string, event: string): Promise<Response> {
  return send('PUT', `${statePath(address, state)}&event=${encodeURIComponent(event)}`);
}

/** The states among these that are current. */
async function current(address: string, states: readonly string[]): Promise<string[]> {
  const answers = await Promise.all(states.map(async (state) => (await ask(address, state)).status));
  return states.filter((_, i) => answers[i] === 200);
}

const approval = `
id: release
initial: build
context: {failed: 0}
states:
  build:
    on:
      update: waiting
      fail:
        - {target: given_up, guard: context.failed >= 1}
        - {actions: [{assign: {failed: context.failed + 1}}]}
  waiting:
    on: {approve: {target: rollout, quorum: 2}, reject: given_up}
    after: {30m: given_up}
  rollout:
    type: parallel
    states:
      eu: {initial: drain, states: {drain: {on: {update: done}}, done: {type: final}}}
      us: {initial: drain, states: {drain: {on: {update: done}}, done: {id: us_done, type: final}}}
    onDone: released
    on: {abort: given_up}
  released: {type: final}
  given_up: {type: final}
`;

describe('PUT state with an event', () => {
  it('sends that event and not `update`', async () => {
    const address = await newChart(approval);
    const response = await tell(address, 'build', 'fail');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('build');
    expect(response.headers.get('ETag')).toBe('"2"');
    expect(await statusOf(address)).toMatchObject({ states: ['build'], context: { failed: 1 } });
    expect((await tell(address, 'build', 'fail')).status).toBe(200);
    expect(await current(address, ['build', 'given_up'])).toEqual(['given_up']);
  });

  it('sends `update` by default', async () => {
    const address = await newChart(approval);
    expect((await report(address, 'build')).status).toBe(200);
    expect((await ask(address, 'waiting')).status).toBe(200);
  });

  it('may be sent to the root by its id', async () => {
    const address = await newChart(approval);
    expect((await ask(address, 'release')).status).toBe(200);
    expect((await report(address, 'release')).status).toBe(200);
    expect((await ask(address, 'waiting')).status).toBe(200);
  });

  it('moves the region that it was sent to, and that alone', async () => {
    const address = await rollingOut();
    expect((await report(address, 'rollout.eu.drain')).status).toBe(200);
    const states = ['rollout', 'eu', 'rollout.eu.done', 'us', 'rollout.us.drain'];
    expect(await current(address, [...states, 'rollout.eu.drain', 'us_done'])).toEqual(states);
  });

  it('moves both regions if it was sent to their parent, and the state that joins them', async () => {
    const address = await rollingOut();
    const response = await report(address, 'rollout');
    expect([response.status, await response.text()]).toEqual([200, 'rollout']);
    expect(await statusOf(address)).toMatchObject({ states: ['released'], status: 'done' });
  });

  it('is taken by an ancestor of the state', async () => {
    const address = await rollingOut();
    expect((await tell(address, 'rollout.us.drain', 'abort')).status).toBe(200);
    expect((await ask(address, 'given_up')).status).toBe(200);
  });

  it.each([
    '',
    '*',
    'build.*',
    'xstate.init',
    'xstate.done.state.build',
    'done.state.build',
    'error.x',
    'e'.repeat(256),
  ])('is 400 for %j, which is reserved, and changes nothing', async (event) => {
    const address = await newChart('initial: a\nstates: {a: {on: {"*": b}}, b: {}}');
    const response = await tell(address, 'a', event);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:reserved-event');
    expect(await statusOf(address)).toMatchObject({ states: ['a'], revision: 1 });
  });

  it.each(['a b', 'ü', '__proto__', '100%', 'done', 'xstate', 'e'.repeat(255)])(
    'may be called %j',
    async (event) => {
      const address = await newChart(`initial: a\nstates: {a: {on: {${JSON.stringify(event)}: b}}, b: {}}`);
      expect((await tell(address, 'a', event)).status).toBe(200);
      expect((await ask(address, 'b')).status).toBe(200);
      const [entry] = (await historyOf(address)).history;
      expect(entry).toMatchObject({ cause: 'update', event });
    },
  );

  it('is applied in order with others that come at the same time', async () => {
    const address = await newChart(`
      initial: a
      context: {n: 0}
      states:
        a: {on: {update: {target: b, quorum: 20}, fail: {actions: {assign: {n: context.n + 1}}}}}
        b: {}
    `);
    const answers = await Promise.all([
      ...Array.from({ length: 20 }, () => report(address, 'a')),
      ...Array.from({ length: 5 }, () => tell(address, 'a', 'fail')),
    ]);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(20);
    expect((await ask(address, 'b')).status).toBe(200);
    const { revision, context } = await statechartStatus(address);
    expect(revision).toBe(21 + Number(context.n));
  });
});

describe('406', () => {
  it('says that the state is not current, and names the current one', async () => {
    const address = await newChart(approval);
    const response = await report(address, 'rollout');
    expect([response.status, response.headers.get('ETag')]).toEqual([406, '"1"']);
    expect(await problemOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:not-current',
      detail: expect.stringMatching(/"rollout" is not current yet; current: "build"/),
      machine: { revision: 1, states: ['build'] },
    });
  });

  it('says that the state does not take the event, and which it takes', async () => {
    const address = await newChart(approval);
    const response = await tell(address, 'build', 'approve');
    expect(response.status).toBe(406);
    expect(await problemOf(response)).toMatchObject({
      type: 'urn:stateservice:problem:not-taken',
      detail: '"build" does not take "approve"; it takes: "update", "fail".',
      events: ['update', 'fail'],
      machine: { revision: 1, states: ['build'] },
    });
  });

  it('names the events of the state, of active states inside and of its ancestors, not of other regions', async () => {
    const address = await newChart(`
      type: parallel
      on: {stop: {actions: {raise: x}}}
      states:
        eu: {initial: a, on: {fail: .a}, states: {a: {on: {update: b}}, b: {on: {later: a}}}}
        us: {initial: a, states: {a: {on: {other: b}}, b: {}}}
    `);
    const { events } = await problemOf(await tell(address, 'eu', 'other'));
    expect(events?.toSorted()).toEqual(['fail', 'stop', 'update']);
  });

  it('does not name an event that is forbidden', async () => {
    const address = await newChart(`
      initial: a
      on: {stop: .b}
      states: {a: {on: {stop: {}, update: b}}, b: {}}
    `);
    const { events } = await problemOf(await tell(address, 'a', 'stop'));
    expect(events).toEqual(['update']);
  });

  it('says that the state does not take an event if no guard is true', async () => {
    const address = await newChart(`
      initial: a
      context: {open: false}
      states: {a: {on: {update: {target: b, guard: context.open}}}, b: {}}
    `);
    const response = await report(address, 'a');
    expect(response.status).toBe(406);
    const { type, detail } = await problemOf(response);
    expect(type).toBe('urn:stateservice:problem:not-taken');
    // A list with the event that was just refused would be no help.
    expect(detail).not.toBe('"a" does not take "update"; it takes: "update".');
    expect(await statusOf(address)).toMatchObject({ revision: 1 });
  });

  it('says that a state is final', async () => {
    const address = await newChart(approval);
    await tell(address, 'build', 'fail');
    await tell(address, 'build', 'fail');
    const response = await report(address, 'given_up');
    expect(response.status).toBe(406);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:final-state');
  });

  it('is the same for every state of a machine that is done', async () => {
    const address = await rollingOut();
    await report(address, 'rollout');
    expect((await ask(address, 'released')).status).toBe(200);
    for (const state of ['released', 'release'])
      expect((await problemOf(await report(address, state))).type).toBe(
        'urn:stateservice:problem:final-state',
      );
  });
});

describe('a state is called', () => {
  it('by its id, its path, or its key where that is unique', async () => {
    const address = await rollingOut();
    for (const name of ['rollout', 'rollout.eu', 'eu', 'rollout.eu.drain']) {
      const response = await ask(address, name);
      expect([name, response.status]).toEqual([name, 200]);
    }
    await report(address, 'us');
    for (const name of ['us_done', 'rollout.us.done'])
      expect([name, (await ask(address, name)).status]).toEqual([name, 200]);
  });

  it('not by a key that several states have: that is 400, and lists them', async () => {
    const address = await rollingOut();
    for (const response of [await ask(address, 'drain'), await report(address, 'drain')]) {
      expect(response.status).toBe(400);
      expect(await problemOf(response)).toMatchObject({
        type: 'urn:stateservice:problem:ambiguous-state',
        detail: expect.stringContaining('"rollout.eu.drain", "rollout.us.drain"'),
        candidates: ['rollout.eu.drain', 'rollout.us.drain'],
      });
    }
    expect(await statusOf(address)).toMatchObject({ revision: 4 });
  });
});

describe('an update that would cross a bound', () => {
  const chart = `
    initial: a
    context: {text: x, n: 0}
    states:
      a:
        on:
          grow: {target: b, actions: [{assign: {n: '1'}}, {raise: double}]}
          spin: {target: c, actions: {assign: {n: '1'}}}
          break: {target: b, actions: [{assign: {n: '1'}}, {assign: {n: context.missing}}]}
          update: {target: b}
      b: {on: {double: {actions: [{assign: {text: context.text + context.text}}, {raise: double}]}}}
      c: {always: {target: d, guard: context.n == 1}}
      d: {always: {target: c, guard: context.n == 1}}
  `;

  it.each([
    ['grow', 'over-bound', 'The chart would cross a bound', /65536 bytes/],
    ['spin', 'over-bound', 'The chart would cross a bound', /without end|too many|too long/],
    ['break', 'expression-failed', 'An expression of the chart failed', /No such key: missing/],
  ])('is refused whole: %s', async (event, code, title, reason) => {
    const address = await newChart(chart);
    const before = await statusOf(address);
    const response = await tell(address, 'a', event);
    expect([response.status, response.headers.get('ETag')]).toEqual([406, '"1"']);
    expect(await problemOf(response)).toMatchObject({
      type: `urn:stateservice:problem:${code}`,
      title,
      detail: expect.stringMatching(reason),
      machine: { revision: 1, states: ['a'] },
    });
    expect(await statusOf(address)).toEqual(before);
    expect((await historyOf(address)).history).toMatchObject([
      {
        id: 2,
        revision: 1,
        cause: 'refused',
        event,
        from: ['a'],
        to: ['a'],
        notes: [expect.stringMatching(reason)],
      },
      { id: 1, revision: 1, cause: 'start' },
    ]);
    await evict(address);
    expect(await statusOf(address)).toEqual(before);
    expect((await report(address, 'a')).status).toBe(200);
  });

  it('does not affect others of the same batch', async () => {
    const address = await newChart(chart);
    const [grow, update] = await Promise.all([tell(address, 'a', 'grow'), report(address, 'a')]);
    expect([grow.status, update.status]).toEqual([406, 200]);
    expect(await statusOf(address)).toMatchObject({
      states: ['b'],
      revision: 2,
      context: { text: 'x', n: 0 },
    });
  });

  it('and that a timer would have caused, is in the history, and the timer is gone', async () => {
    const address = await newChart(`
      initial: a
      context: {n: 0}
      states:
        a: {after: {1m: {target: b, actions: {assign: {n: context.missing}}}}, on: {update: b}}
        b: {}
    `);
    await ask(address, 'a');
    vi.setSystemTime(NOON + MINUTE);
    expect(await statusOf(address)).toMatchObject({ states: ['a'], timers: [] });
    expect((await historyOf(address)).history[0]).toMatchObject({
      cause: 'refused',
      event: null,
      at: '2040-06-01T12:01:00.000Z',
      notes: [expect.stringContaining('No such key: missing')],
    });
    expect((await report(address, 'a')).status).toBe(200);
  });
});

describe('a guard that cannot be evaluated', () => {
  it('is noted in the history if it kept an event from being taken', async () => {
    const address = await newChart(
      'initial: a\nstates: {a: {on: {update: {target: b, guard: context.ok}}}, b: {}}',
    );
    expect((await report(address, 'a')).status).toBe(406);
    expect((await historyOf(address)).history[0]).toMatchObject({
      revision: 1,
      cause: 'refused',
      event: 'update',
      notes: ['guard context.ok: No such key: ok'],
    });
  });

  it('is noted in the history if the next transition took the event', async () => {
    const address = await newChart(
      'initial: a\nstates: {a: {on: {update: [{target: b, guard: context.ok}, {target: c}]}}, b: {}, c: {}}',
    );
    expect((await report(address, 'a')).status).toBe(200);
    expect((await historyOf(address)).history[0]).toMatchObject({
      revision: 2,
      cause: 'update',
      notes: ['guard context.ok: No such key: ok'],
      from: ['a'],
      to: ['c'],
    });
  });

  it('is not noted if everything could be evaluated', async () => {
    const address = await newChart(
      'initial: a\nstates: {a: {on: {update: {target: b, guard: "false"}}}, b: {}}',
    );
    expect((await report(address, 'a')).status).toBe(406);
    expect((await historyOf(address)).history).toMatchObject([{ cause: 'start' }]);
  });
});

describe('timers', () => {
  const chart = `
    initial: a
    context: {n: 0}
    states:
      a:
        after:
          10m: {actions: {assign: {n: context.n + 1}}}
          30m: b
      b: {entry: {raise: {event: ring, delay: 5m, id: bell}}, on: {ring: c, stop: {actions: {cancel: bell}}}}
      c: {type: final}
  `;

  it('survive an eviction, and fire once by the alarm', async () => {
    const address = await newChart(chart);
    await ask(address, 'a');
    await evict(address);
    expect((await tracesOf(address)).alarm).toBe(NOON + 10 * MINUTE);
    vi.setSystemTime(NOON + 10 * MINUTE);
    expect(await runDurableObjectAlarm(objectAt(address))).toBe(true);
    expect((await tracesOf(address)).alarm).toBe(NOON + 30 * MINUTE);
    // At least once: another alarm for the same timer finds nothing to do.
    await inStorage(address, (_, machine) => machine.alarm());
    await evict(address);
    await inStorage(address, (_, machine) => machine.alarm());
    expect(await statusOf(address)).toMatchObject({ states: ['a'], revision: 2, context: { n: 1 } });
  });

  it('fire before a request is answered, though the alarm is late', async () => {
    const address = await newChart(chart);
    await ask(address, 'a');
    await evict(address);
    vi.setSystemTime(NOON + 31 * MINUTE);
    expect((await ask(address, 'b')).status).toBe(200);
    expect((await historyOf(address)).history).toMatchObject([
      { cause: 'timer', event: null, at: '2040-06-01T12:30:00.000Z', from: ['a'], to: ['b'] },
      { cause: 'timer', event: null, at: '2040-06-01T12:10:00.000Z', from: ['a'], to: ['a'] },
      { cause: 'start' },
    ]);
    await inStorage(address, (_, machine) => machine.alarm());
    expect(await statusOf(address)).toMatchObject({ states: ['b'], revision: 3 });
  });

  it('set by a timer count from the moment of that timer, however late it was', async () => {
    const address = await newChart(chart);
    await ask(address, 'a');
    vi.setSystemTime(NOON + 34 * MINUTE);
    expect(await statusOf(address)).toMatchObject({
      states: ['b'],
      timers: [{ at: '2040-06-01T12:35:00.000Z', event: 'ring' }],
    });
    vi.setSystemTime(NOON + 35 * MINUTE);
    expect((await ask(address, 'c')).status).toBe(200);
    expect((await tracesOf(address)).alarm).toBeNull();
  });

  it('that are cancelled are gone, from the status and from the alarm', async () => {
    const address = await newChart(chart);
    await ask(address, 'a');
    vi.setSystemTime(NOON + 30 * MINUTE);
    expect((await tell(address, 'b', 'stop')).status).toBe(200);
    expect(await statusOf(address)).toMatchObject({ states: ['b'], timers: [] });
    expect((await tracesOf(address)).alarm).toBeNull();
    await evict(address);
    vi.setSystemTime(NOON + 365 * 24 * 60 * MINUTE);
    expect((await ask(address, 'b')).status).toBe(200);
  });

  it('far ahead are reached by alarms before them', async () => {
    const address = await newChart('initial: a\nstates: {a: {after: {365d: b}}, b: {}}');
    await ask(address, 'a');
    for (let days = 0; days < 365; days += 20) {
      vi.setSystemTime(NOON + days * 24 * 60 * MINUTE);
      await evict(address);
      const { alarm } = await tracesOf(address);
      expect(alarm).toBeLessThanOrEqual(NOON + 365 * 24 * 60 * MINUTE);
      await runDurableObjectAlarm(objectAt(address));
    }
    expect((await ask(address, 'a')).status).toBe(200);
    vi.setSystemTime(NOON + 365 * 24 * 60 * MINUTE);
    await runDurableObjectAlarm(objectAt(address));
    expect(await inStorage(address, ({ sql }) => sql.exec('SELECT revision FROM machine').one())).toEqual({
      revision: 2,
    });
  });
});

describe('GET', () => {
  it('chart returns the text as it was written, with its comments, in every state', async () => {
    const text = `# how we release\r\n${approval}\n# the end, without a newline`;
    const address = await newChart(text);
    await report(address, 'build');
    await evict(address);
    const response = await send('GET', `${machinePath(address)}/chart`);
    expect(response.headers.get('Content-Type')).toBe('application/yaml');
    expect(await bodyOf(response)).toBe(text);
  });

  it('the machine returns its status: its states, its data, its counts and its timers', async () => {
    const address = await newChart(approval);
    await tell(address, 'build', 'fail');
    vi.setSystemTime(NOON + MINUTE);
    await report(address, 'build');
    vi.setSystemTime(NOON + 2 * MINUTE);
    await tell(address, 'waiting', 'approve');
    expect(await statusOf(address)).toEqual({
      machine: address,
      dialect: 'statechart',
      states: ['waiting'],
      tags: [],
      status: 'active',
      revision: 4,
      started: '2040-06-01T12:00:00.000Z',
      since: '2040-06-01T12:01:00.000Z',
      changed: '2040-06-01T12:02:00.000Z',
      value: 'waiting',
      context: { failed: 1 },
      inputs: {},
      paused: null,
      members: null,
      quorums: [{ state: 'waiting', event: 'approve', have: 1, need: 2, by: [] }],
      claims: [],
      timers: [{ at: '2040-06-01T12:31:00.000Z', event: null, state: 'waiting', target: 'given_up' }],
      chart: { hash: expect.stringMatching(/^[0-9a-f]{64}$/), source: 'bundle', newer: false },
    });
  });

  it('has the state and the target of each timer', async () => {
    const address = await newChart(`
initial: a
context: {late: false}
states:
  a:
    initial: b
    entry: [{raise: {event: nudge, delay: 5m}}]
    after: {10m: c, 20m: [{target: c, guard: context.late}, {target: d}], 30m: {actions: [{assign: {late: true}}]}}
    states:
      b: {at: {'2040-06-02T12:00:00Z': '#the-end'}}
  c: {}
  d: {id: the-end}
`);
    expect((await statusOf(address)).timers).toEqual([
      { at: '2040-06-01T12:05:00.000Z', event: 'nudge', state: null, target: null },
      { at: '2040-06-01T12:10:00.000Z', event: null, state: 'a', target: 'c' },
      { at: '2040-06-01T12:20:00.000Z', event: null, state: 'a', target: null },
      { at: '2040-06-01T12:30:00.000Z', event: null, state: 'a', target: null },
      { at: '2040-06-02T12:00:00.000Z', event: null, state: 'a.b', target: 'the-end' },
    ]);
  });

  it('has the same for the time of a sequence', async () => {
    const address = await newChart(
      sequence(
        {
          name: 'night',
          func: 'time',
          target: { name: 'day', when: { key: 'clock', value: '2040-06-02T00:00:00' } },
        },
        final('day'),
      ),
    );
    expect((await statusOf(address)).timers).toEqual([
      { at: '2040-06-02T00:00:00.000Z', event: null, state: 'night', target: 'day' },
    ]);
  });

  it('the machine lists nested states outermost first, and has a value as in XState', async () => {
    const address = await rollingOut();
    await report(address, 'rollout.us.drain');
    expect(await statusOf(address)).toMatchObject({
      states: ['rollout', 'rollout.eu', 'rollout.eu.drain', 'rollout.us', 'us_done'],
      value: { rollout: { eu: 'drain', us: 'done' } },
    });
  });

  it('an invalid chart is 422, with the place of every error', async () => {
    const address = await newChart('initial: a\nstates:\n  a: {on: {go: b}, invoke: x}\n');
    for (const path of ['', '/state?state=a', '/chart', '/history']) {
      const response = await send('GET', `${machinePath(address)}${path}`);
      expect([path, response.status]).toEqual([path, 422]);
      expect((await problemOf(response)).errors).toEqual([
        {
          severity: 'error',
          line: 3,
          column: 16,
          path: 'states.a.on.go',
          message: expect.stringContaining('"b"'),
        },
        {
          severity: 'error',
          line: 3,
          column: 20,
          path: 'states.a.invoke',
          message: expect.stringContaining('code'),
        },
      ]);
    }
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

describe('a machine in the middle of a chart that is changed', () => {
  it('continues with its own chart, and shows that a newer one exists', async () => {
    const address = await newChart(approval);
    await report(address, 'build');
    const { chart: own } = await statusOf(address);
    await putChart(address, 'initial: other\nstates: {other: {}}');
    await evict(address);
    expect(await statusOf(address)).toMatchObject({
      states: ['waiting'],
      chart: { hash: own.hash, newer: true },
    });
    await tell(address, 'waiting', 'approve');
    await tell(address, 'waiting', 'approve');
    expect((await ask(address, 'rollout')).status).toBe(200);
    expect((await ask(address, 'other')).status).toBe(406);
    expect(await bodyOf(await send('GET', `${machinePath(address)}/chart`))).toBe(approval);
    await putChart(address, approval);
    vi.setSystemTime(NOON + NEWEST_FOR);
    expect(await statusOf(address)).toMatchObject({ chart: { hash: own.hash, newer: false } });
  });

  it('has its timers by its own chart', async () => {
    const address = await newChart('initial: a\nstates: {a: {after: {1m: b}}, b: {}}');
    await ask(address, 'a');
    await putChart(address, 'initial: a\nstates: {a: {after: {1h: c}}, c: {}}');
    await evict(address);
    vi.setSystemTime(NOON + MINUTE);
    expect((await ask(address, 'b')).status).toBe(200);
  });

  it('does not keep a new run from the newer chart', async () => {
    const address = await newChart('initial: old\nstates: {old: {}}');
    await ask(address, 'old');
    await putChart(address, 'initial: young\nstates: {young: {}}');
    expect((await ask(`${address}@2`, 'young')).status).toBe(200);
    expect((await ask(address, 'old')).status).toBe(200);
  });
});

/** A machine in two regions, at revision 4. */
async function rollingOut(): Promise<string> {
  const address = await newChart(approval);
  await report(address, 'build');
  await tell(address, 'waiting', 'approve');
  await tell(address, 'waiting', 'approve');
  return address;
}

async function statechartStatus(address: string) {
  return (await statusOf(address)) as Awaited<ReturnType<typeof statusOf>> & {
    readonly context: Readonly<Record<string, unknown>>;
  };
}
