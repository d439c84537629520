/** A machine as a binding of another Worker, `worker.js`. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { DATA_BYTES } from '../../../src/chart-limits.ts';
import { counting, final, putChart, sequence } from '../../charts.ts';
import { ask, erase, historyOf, report, send, statusOf } from '../../service.ts';

const CHART = 'bound/release';

beforeEach(async () => {
  await putChart(CHART, sequence(counting('drain', 'patch', 2), counting('patch', 'done'), final('done')));
  for (const address of [CHART, `${CHART}@42`]) await erase(address);
});

describe('a binding', () => {
  it('asks whether a state is current', async () => {
    expect(await call('RELEASE', 'is', 'drain')).toEqual({ answer: true });
    expect(await call('RELEASE', 'is', 'patch')).toEqual({ answer: false });
    expect(await call('RELEASE', 'is', 'nothing')).toEqual({ answer: false });
  });

  it('reports, counts once for each caller, and gets refusals as values', async () => {
    expect(await call('RELEASE', 'update', 'drain', { by: 'a' })).toEqual({
      answer: { ok: true, revision: 2 },
    });
    expect(await call('RELEASE', 'update', 'drain', { by: 'a' })).toEqual({
      answer: { ok: true, revision: 2 },
    });
    expect(await call('RELEASE', 'update', 'drain', { by: 'b' })).toEqual({
      answer: { ok: true, revision: 3 },
    });
    expect(await call('RELEASE', 'update', 'drain')).toMatchObject({
      answer: { ok: false, code: 'cannot-come', detail: expect.stringContaining('"patch"') },
    });
    expect((await ask(CHART, 'patch')).status).toBe(200);
  });

  it('reports with data, and gets the refusal of data that are too much as a value', async () => {
    await call('RELEASE', 'update', 'drain', { by: 'a', data: { list: [1, null], text: 'x' } });
    expect((await historyOf(CHART)).history[0]).toMatchObject({ data: { list: [1, null], text: 'x' } });
    await call('RELEASE', 'update', 'drain', { by: 'b', data: null });
    expect((await historyOf(CHART)).history[0]).toHaveProperty('data', null);
    expect(await call('RELEASE', 'update', 'patch', { data: 'x'.repeat(DATA_BYTES) })).toEqual({
      answer: { ok: false, code: 'too-large', detail: expect.stringContaining('`data` has more than') },
    });
  });

  it('makes a link for a person, as a path', async () => {
    const { answer } = (await call('REPORTER', 'link', 'drain', { by: 'anna', seconds: 60 })) as {
      answer: { ok: boolean; path: string; until: string };
    };
    expect(answer).toMatchObject({ ok: true, path: expect.stringMatching(/^\/bound\/release\/links\/./) });
    expect(Date.parse(answer.until)).toBeLessThanOrEqual(Date.now() + 60_000);
    expect((await send('POST', answer.path)).status).toBe(200);
    expect((await historyOf(CHART)).history[0]).toMatchObject({ by: 'anna', sub: 'reporter' });
    expect(await call('RELEASE', 'link', 'patch', { by: 'anna' })).toMatchObject({
      answer: { ok: false, code: 'not-current' },
    });
    expect(await call('RELEASE', 'link', 'drain', { by: '' })).toMatchObject({
      answer: { ok: false, code: 'wrong-parameter' },
    });
    for (const args of [
      ['drain', {}],
      ['drain', { by: 'a', seconds: 700_000 }],
    ] as const)
      expect(await call('RELEASE', 'link', ...args)).toMatchObject({ thrown: { name: 'TypeError' } });
    expect(await call('READER', 'link', 'drain', { by: 'a' })).toMatchObject({
      thrown: { name: 'forbidden' },
    });
  });

  it('starts a run with inputs', async () => {
    await putChart(
      CHART,
      'initial: a\ninputs: {n: null}\nstates: {a: {on: {update: {target: b, quorum: inputs.n}}}, b: {}}\n',
    );
    expect(await call('ADMIN', 'start', {})).toMatchObject({ answer: { ok: false, code: 'wrong-inputs' } });
    expect(await call('ADMIN', 'start', { n: 2 })).toMatchObject({ answer: { ok: true } });
    expect(await call('ADMIN', 'start', { n: 3 })).toMatchObject({
      answer: { ok: false, code: 'other-inputs' },
    });
    expect((await statusOf(CHART)).quorums).toMatchObject([{ need: 2 }]);
  });

  it('uploads members, tells who is missing, and strikes one off', async () => {
    const list = ['b', { name: 'a', labels: { zone: 'eu' } }];
    expect(await call('ADMIN', 'setMembers', list, { by: 'ann' })).toEqual({
      answer: { ok: true, revision: 2 },
    });
    expect((await historyOf(CHART)).history[0]).toMatchObject({
      cause: 'members',
      by: 'ann',
      sub: 'binding',
    });
    expect(await call('ADMIN', 'setMembers', ['a', 'a'])).toMatchObject({
      answer: { ok: false, code: 'invalid-members' },
    });
    expect(await call('RELEASE', 'update', 'drain', { by: 'c' })).toMatchObject({
      answer: { ok: false, code: 'not-a-member' },
    });
    await call('RELEASE', 'update', 'drain', { by: 'b' });
    expect(await call('RELEASE', 'members', { is: 'missing' })).toEqual({
      answer: [
        {
          name: 'a',
          labels: { zone: 'eu' },
          expected: ['drain'],
          working: [],
          reported: [],
          missing: ['drain'],
        },
      ],
    });
    expect(await call('ADMIN', 'strikeMember', 'a')).toEqual({ answer: { ok: true, revision: 4 } });
    expect(await call('ADMIN', 'strikeMember', 'a')).toMatchObject({
      answer: { ok: false, code: 'no-such-member' },
    });
    expect(await call('RELEASE', 'members')).toMatchObject({ answer: [{ name: 'b' }] });
    expect(await call('ADMIN', 'setMembers', null)).toEqual({ answer: { ok: true, revision: 5 } });
    expect(await call('RELEASE', 'members')).toEqual({ answer: [] });
  });

  it('reports at the intended revision only', async () => {
    const answer = await call('RELEASE', 'update', 'drain', { revision: 7 });
    expect(answer).toMatchObject({ answer: { ok: false, code: 'wrong-revision' } });
  });

  it('waits until a report of another caller', async () => {
    const waiting = call('RELEASE', 'wait', 'patch', { seconds: 30 });
    await report(CHART, 'drain');
    await report(CHART, 'drain');
    expect(await waiting).toEqual({ answer: true });
    expect(await call('RELEASE', 'wait', 'drain', { seconds: 30 })).toEqual({ answer: false });
  });

  it('asks and waits for one caller, whose part is done after its report', async () => {
    expect(await call('RELEASE', 'is', 'drain', { by: 'a' })).toEqual({ answer: true });
    await call('RELEASE', 'update', 'drain', { by: 'a' });
    expect(await call('RELEASE', 'is', 'drain', { by: 'a' })).toEqual({ answer: false });
    expect(await call('RELEASE', 'wait', 'drain', { by: 'a', seconds: 30 })).toEqual({ answer: false });
    expect(await call('RELEASE', 'wait', 'drain', { by: 'b' })).toEqual({ answer: true });
    expect(await call('RELEASE', 'is', 'drain')).toEqual({ answer: true });
    expect((await call('RELEASE', 'is', 'drain', { by: '' })).thrown?.name).toBe('wrong-parameter');
  });

  it('reads the status document', async () => {
    expect(await call('RELEASE', 'status')).toEqual({ answer: await statusOf(CHART) });
  });

  it('has the name of its props in the history', async () => {
    await call('RELEASE', 'update', 'drain');
    await call('REPORTER', 'update', 'drain', { by: 'web-01' });
    const { history } = await historyOf(CHART);
    expect(history[0]).toMatchObject({ by: 'web-01', sub: 'reporter' });
    expect(history[1]).toMatchObject({ by: null, sub: 'binding' });
  });

  it('is for one machine; a run is another machine', async () => {
    await call('RUN', 'update', 'drain');
    expect((await statusOf(CHART)).revision).toBe(1);
    expect((await statusOf(`${CHART}@42`)).revision).toBe(2);
  });
});

describe('a call that its props do not allow', () => {
  it.each([
    ['READER', 'update', ['drain'], 'update'],
    ['READER', 'claim', ['drain', 'a'], 'update'],
    ['READER', 'renew', ['drain', 'a'], 'update'],
    ['READER', 'release', ['drain', 'a'], 'update'],
    ['READER', 'reset', [], 'admin'],
    ['RELEASE', 'reset', [], 'admin'],
    ['RELEASE', 'override', ['drain', 'why'], 'operate'],
    ['RELEASE', 'setMembers', [['a']], 'operate'],
    ['RELEASE', 'strikeMember', ['a'], 'operate'],
    ['REPORTER', 'members', [], 'read'],
    ['REPORTER', 'is', ['drain'], 'read'],
    ['REPORTER', 'wait', ['drain'], 'read'],
    ['REPORTER', 'status', [], 'read'],
  ])('is refused, and changes nothing: %s %s', async (binding, method, args, right) => {
    await ask(CHART, 'drain');
    const { thrown } = await call(binding, method, ...args);
    expect(thrown).toEqual({
      name: 'forbidden',
      message: `forbidden: This binding of ${CHART} may not ${right}.`,
    });
    expect((await statusOf(CHART)).revision).toBe(1);
  });

  it('succeeds with the right', async () => {
    await call('ADMIN', 'update', 'drain');
    expect(await call('ADMIN', 'reset')).toEqual({ answer: { ok: true, revision: 3 } });
    expect(await call('ADMIN', 'is', 'drain')).toEqual({ answer: true });
  });

  it('moves the machine by hand, and says who and why', async () => {
    await ask(CHART, 'drain');
    expect(await call('ADMIN', 'override', 'drain', 'look again', { by: 'ann' })).toEqual({
      answer: { ok: true, revision: 2 },
    });
    const { history } = await historyOf(CHART);
    expect(history[0]).toMatchObject({ cause: 'override', by: 'ann', notes: ['look again'] });
    expect((await call('ADMIN', 'override', 'drain', '')).answer).toMatchObject({ code: 'wrong-parameter' });
  });

  it.each(['erase', 'upload', 'env', 'ctx', '#machine', 'fetch'])(
    'is not there at all: %s',
    async (method) => {
      await ask(CHART, 'drain');
      expect((await call('ADMIN', method)).thrown).toBeDefined();
      expect((await statusOf(CHART)).revision).toBe(1);
    },
  );
});

describe('a wrong argument', () => {
  const long = 'x'.repeat(256);

  it.each([
    ['claim', ['drain', long], 'wrong-parameter'],
    ['claim', ['drain', ''], 'wrong-parameter'],
    ['release', ['drain', '\ud800'], 'wrong-parameter'],
    ['update', ['drain', { by: long }], 'wrong-parameter'],
    ['update', ['drain', { key: long }], 'wrong-parameter'],
    ['update', ['drain', { event: long }], 'reserved-event'],
    ['update', ['drain', { event: '*' }], 'reserved-event'],
    ['update', ['drain', { event: 'done.state.drain' }], 'reserved-event'],
    ['update', ['drain', { event: 'xstate.done.state.s1' }], 'reserved-event'],
  ])('is refused as over HTTP: %s %j', async (method, args, code) => {
    await ask(CHART, 'drain');
    expect(await call('RELEASE', method, ...args)).toMatchObject({ answer: { ok: false, code } });
    expect((await statusOf(CHART)).revision).toBe(1);
  });

  it.each([
    ['is', [7]],
    ['is', ['drain', { by: 7 }]],
    ['is', []],
    ['wait', ['drain', { seconds: null }]],
    ['wait', ['patch', { seconds: -1 }]],
    ['claim', ['drain']],
    ['claim', ['drain', 7]],
    ['update', [{}]],
    ['update', ['drain', { by: 7 }]],
    ['update', ['drain', { revision: 1.5 }]],
    ['members', [{ is: 'lost' }]],
    ['setMembers', []],
    ['strikeMember', [7]],
  ])('throws if it has another type: %s %j', async (method, args) => {
    await ask(CHART, 'drain');
    expect((await call('ADMIN', method, ...args)).thrown?.name).toBe('TypeError');
    expect((await statusOf(CHART)).revision).toBe(1);
  });
});

it('an address without a chart is refused as such', async () => {
  expect((await call('NOWHERE', 'is', 'drain')).thrown?.name).toBe('no-chart');
  expect(await call('NOWHERE', 'update', 'drain')).toMatchObject({ answer: { ok: false, code: 'no-chart' } });
});

it('wrong props throw', async () => {
  for (const [binding, chart] of [
    ['WRONG_CHART', '../release'],
    ['NO_TENANT', 'release'],
    ['NO_CHART', 'undefined'],
  ] as const) {
    const { thrown } = await call(binding, 'update', 'green_state');
    expect(thrown?.message).toContain(`such as acme/release; not ${chart}`);
  }
  expect((await call('WRONG_RIGHT', 'is', 'drain')).thrown?.message).toContain(
    'read, update, operate, admin',
  );
});

/** Calls a method of the other Worker's binding, in that Worker. */
async function call(
  binding: string,
  method: string,
  ...args: readonly unknown[]
): Promise<{ answer?: unknown; thrown?: { name: string; message: string } }> {
  const body = JSON.stringify({ binding, method, args });
  return (await env.CALLER.fetch('https://caller.test/', { method: 'POST', body })).json();
}
