/** The example charts, each run from its start to every final state. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readChart } from '../src/chart/chart.ts';
import { put } from './objects/callers.ts';
import { ask, evict, reportTimes, send, statePath, statusOf } from './service.ts';

const texts = import.meta.glob('../charts/**/*.yaml', { query: '?raw', import: 'default', eager: true });

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

let runs = 0;

/** Begins a run of an example that no other test has. */
async function begin(chart: string, at: string): Promise<string> {
  vi.setSystemTime(Date.parse(at));
  runs += 1;
  const address = `acme/${chart}@run-${runs}`;
  await statusOf(address);
  return address;
}

/** Says that `event` has happened in `state`, as often as is said; it must be accepted. */
async function tell(address: string, state: string, event = 'update', times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { status } = await send('PUT', `${statePath(address, state)}&event=${event}`);
    if (status !== 200) throw new Error(`${event} in ${state} was answered ${status}`);
  }
}

/** Lets time pass; the object is thrown away meanwhile, as it would be. */
async function wait(address: string, ms: number): Promise<void> {
  await evict(address);
  vi.setSystemTime(Date.now() + ms);
}

/** These states are current, and no others. */
async function expectCurrent(address: string, ...states: string[]): Promise<void> {
  const { states: current } = await statusOf(address);
  expect(current).toEqual(states);
  for (const state of current) expect((await ask(address, state)).status).toBe(200);
}

async function expectDone(address: string, state: string): Promise<void> {
  expect(await statusOf(address)).toMatchObject({ states: [state], status: 'done', timers: [] });
  expect((await send('PUT', statePath(address, state))).status).toBe(406);
}

it('are these', () => {
  expect(Object.keys(texts).toSorted()).toEqual([
    '../charts/acme/approval.yaml',
    '../charts/acme/canary.yaml',
    '../charts/acme/maintenance.yaml',
    '../charts/acme/night.yaml',
    '../charts/acme/patch.yaml',
    '../charts/acme/reboot.yaml',
    '../charts/acme/regions.yaml',
    '../charts/acme/release.yaml',
    '../charts/acme/rolling.yaml',
    '../charts/default.yaml',
  ]);
});

describe.each(Object.entries(texts))('%s', (file, text) => {
  it('is read without an error or a warning', () => {
    expect(readChart(text)).toMatchObject({ ok: true, warnings: [] });
  });

  it('names its schema in the first line, so that editors complete and check it', () => {
    const up = file.includes('/acme/') ? '../' : '';
    expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${up}schema.json`);
  });

  it('comes with a deploy', async () => {
    const response = await env.BUNDLE.fetch(`https://charts/${file.replace('../charts/', '')}`);
    expect(await response.text()).toBe(text);
  });
});

describe('default', () => {
  it('goes from green over red to blue', async () => {
    vi.setSystemTime(Date.parse('2040-06-01T12:00:00Z'));
    for (const [state, next] of [
      ['green_state', 'red_state'],
      ['red_state', 'blue_state'],
    ] as const) {
      expect((await ask('default', state)).status).toBe(200);
      expect((await ask('default', next)).status).toBe(406);
      await reportTimes('default', state, 1);
      expect((await ask('default', next)).status).toBe(200);
    }
    await expectDone('default', 'blue_state');
  });
});

describe('acme/release', () => {
  it('goes from two canaries over eight machines to a sign-off', async () => {
    const run = await begin('release', '2040-06-01T12:00:00Z');
    await tell(run, 'canary');
    await expectCurrent(run, 'canary');
    await tell(run, 'canary');
    await tell(run, 'fleet', 'update', 7);
    await expectCurrent(run, 'fleet');
    await tell(run, 'fleet');
    await expectCurrent(run, 'sign_off');
    await tell(run, 'sign_off');
    await expectDone(run, 'released');
  });
});

describe('acme/maintenance', () => {
  it('opens and closes by the clock, and takes no report', async () => {
    const run = await begin('maintenance', '2030-01-05T21:59:59Z');
    await expectCurrent(run, 'before');
    expect((await send('PUT', statePath(run, 'before'))).status).toBe(406);
    await wait(run, SECOND);
    await expectCurrent(run, 'window');
    await wait(run, 4 * HOUR - SECOND);
    await expectCurrent(run, 'window');
    await wait(run, SECOND);
    await expectDone(run, 'after');
  });
});

describe('acme/canary', () => {
  const begun = () => begin('canary', '2040-06-01T12:00:00Z');

  it('goes from three canaries over half an hour of soaking to nine more', async () => {
    const run = await begun();
    await tell(run, 'canary', 'update', 2);
    await expectCurrent(run, 'rollout', 'rollout.canary');
    await tell(run, 'canary');
    await wait(run, 30 * MINUTE - 1);
    await expectCurrent(run, 'rollout', 'rollout.soak');
    await wait(run, 1);
    await tell(run, 'fleet', 'update', 8);
    await expectCurrent(run, 'rollout', 'rollout.fleet');
    await tell(run, 'fleet');
    await expectDone(run, 'released');
  });

  it('goes on after one failure, wherever that was', async () => {
    const run = await begun();
    await tell(run, 'canary', 'update', 3);
    await tell(run, 'soak', 'fail');
    await wait(run, 30 * MINUTE);
    await tell(run, 'fleet', 'update', 9);
    await expectDone(run, 'released');
  });

  it.each(['canary', 'soak', 'fleet'])(
    'rolls all twelve back at the second failure, in %s',
    async (failed) => {
      const run = await begun();
      await tell(run, 'canary', 'fail');
      if (failed !== 'canary') await tell(run, 'canary', 'update', 3);
      if (failed === 'fleet') await wait(run, 30 * MINUTE);
      await tell(run, failed, 'fail');
      await tell(run, 'rollback', 'update', 11);
      await expectCurrent(run, 'rollback');
      await tell(run, 'rollback');
      await expectDone(run, 'rolled_back');
    },
  );

  it('counts the failures of a machine once in a state, however often it reports them', async () => {
    const run = await begun();
    for (let i = 0; i < 2; i++) await put(run, 'canary', { event: 'fail', by: 'web-01' });
    await expectCurrent(run, 'rollout', 'rollout.canary');
    await put(run, 'canary', { event: 'fail', by: 'web-02' });
    await expectCurrent(run, 'rollback');
  });

  it.each(['canary', 'fleet'])('rolls back after two hours, in %s', async (last) => {
    const run = await begun();
    await tell(run, 'canary', 'update', last === 'canary' ? 2 : 3);
    await wait(run, 2 * HOUR - 1);
    await expectCurrent(run, 'rollout', `rollout.${last}`);
    await wait(run, 1);
    await tell(run, 'rollback', 'update', 12);
    await expectDone(run, 'rolled_back');
  });
});

describe('acme/regions', () => {
  const begun = () => begin('regions', '2040-06-01T12:00:00Z');

  it('goes on in each region at its own pace, and is done when both are', async () => {
    const run = await begun();
    await tell(run, 'rollout.eu.drain');
    await expectCurrent(run, 'rollout', 'rollout.eu', 'rollout.eu.deploy', 'rollout.us', 'rollout.us.drain');
    await tell(run, 'rollout.eu.deploy', 'update', 2);
    await tell(run, 'rollout.us.drain');
    await tell(run, 'rollout.us.deploy');
    await expectCurrent(run, 'rollout', 'rollout.eu', 'rollout.eu.done', 'rollout.us', 'rollout.us.deploy');
    await tell(run, 'rollout.us.deploy');
    await expectDone(run, 'released');
  });

  it('moves both where the report is for both', async () => {
    const run = await begun();
    await tell(run, 'rollout', 'update', 3);
    await expectDone(run, 'released');
  });

  it.each(['rollout', 'rollout.eu', 'rollout.us.drain'])('may be aborted from %s', async (state) => {
    const run = await begun();
    await tell(run, 'rollout.eu.drain');
    await tell(run, state, 'abort');
    await expectDone(run, 'aborted');
  });
});

describe('acme/reboot', () => {
  it('opens at two in the night, and is done when four machines were rebooted', async () => {
    const run = await begin('reboot', '2030-03-02T00:59:59Z');
    await expectCurrent(run, 'closed');
    await wait(run, SECOND);
    await tell(run, 'open', 'update', 3);
    await expectCurrent(run, 'open');
    await tell(run, 'open');
    await expectDone(run, 'rebooted');
  });

  it('closes at six with machines missing', async () => {
    const run = await begin('reboot', '2030-03-02T00:00:00Z');
    await wait(run, HOUR);
    await tell(run, 'open', 'update', 3);
    await wait(run, 4 * HOUR - 1);
    await expectCurrent(run, 'open');
    await wait(run, 1);
    await expectDone(run, 'missed');
  });

  it('is missed at once if it begins too late', async () => {
    const run = await begin('reboot', '2030-03-03T00:00:00Z');
    await expectDone(run, 'missed');
  });
});

describe('acme/approval', () => {
  const begun = () => begin('approval', '2040-06-01T12:00:00Z');

  it('is deployed after two people have approved it', async () => {
    const run = await begun();
    await tell(run, 'build');
    await tell(run, 'waiting', 'approve');
    await expectCurrent(run, 'waiting');
    await tell(run, 'waiting', 'approve');
    await tell(run, 'deploy');
    await expectDone(run, 'deployed');
  });

  it('is built again if the deployment fails, and needs both approvals again', async () => {
    const run = await begun();
    await tell(run, 'build');
    await tell(run, 'waiting', 'approve', 2);
    await tell(run, 'deploy', 'fail');
    await tell(run, 'build');
    await tell(run, 'waiting', 'approve');
    await expectCurrent(run, 'waiting');
    await tell(run, 'waiting', 'approve');
    await tell(run, 'deploy');
    await expectDone(run, 'deployed');
  });

  it('is rejected by one, though another has approved', async () => {
    const run = await begun();
    await tell(run, 'build');
    await tell(run, 'waiting', 'approve');
    await tell(run, 'waiting', 'reject');
    await expectDone(run, 'rejected');
  });

  it('expires after a day', async () => {
    const run = await begun();
    await tell(run, 'build');
    await tell(run, 'waiting', 'approve');
    await wait(run, 24 * HOUR - 1);
    await expectCurrent(run, 'waiting');
    await wait(run, 1);
    await expectDone(run, 'expired');
  });
});

describe('acme/patch', () => {
  const begun = () => begin('patch', '2040-06-01T12:00:00Z');
  const claim = async (run: string, by: string) =>
    (await send('POST', `/${run}/claims?state=patch&by=${by}`)).status;
  const done = async (run: string, by: string) =>
    (await send('PUT', `${statePath(run, 'patch')}&by=${by}`)).status;

  it('is done by forty machines, five at a time', async () => {
    const run = await begun();
    for (let first = 0; first < 40; first += 5) {
      const five = Array.from({ length: 5 }, (_, i) => `web-${first + i}`);
      for (const by of five) expect(await claim(run, by)).toBe(200);
      expect(await claim(run, 'a-sixth')).toBe(406);
      for (const by of five) expect(await done(run, by)).toBe(200);
    }
    await tell(run, 'verify', 'approve');
    await expectDone(run, 'done');
  });

  it('is aborted by an operator while five machines hang', async () => {
    const run = await begun();
    for (let i = 0; i < 5; i++) await claim(run, `web-${i}`);
    await tell(run, 'patch', 'abort');
    await expectDone(run, 'aborted');
  });

  it('gives the slot of a machine that has died to another after twenty minutes', async () => {
    const run = await begun();
    for (let i = 0; i < 5; i++) await claim(run, `web-${i}`);
    await wait(run, 20 * 60_000 - 1);
    expect(await claim(run, 'web-9')).toBe(406);
    await wait(run, 1);
    expect(await claim(run, 'web-9')).toBe(200);
  });
});

describe('acme/rolling', () => {
  const MEMBERS = Array.from({ length: 8 }, (_, i) => `web-0${i + 1}`);
  const begun = async () => {
    const run = await begin('rolling', '2040-06-01T12:00:00Z');
    const { status } = await send('PUT', `/${run}/members`, { body: MEMBERS.join('\n') });
    expect(status).toBe(200);
    return run;
  };
  const claim = async (run: string, by: string) =>
    (await send('POST', `/${run}/claims?state=fleet&by=${by}`)).status;
  const work = async (run: string, names: readonly string[], event = 'update') => {
    for (const by of names) {
      expect(await claim(run, by)).toBe(200);
      expect((await put(run, 'fleet', { event, by })).status).toBe(200);
    }
  };

  it('is released by all eight, two at a time, though two have failed before', async () => {
    const run = await begun();
    expect(await claim(run, 'web-01')).toBe(200);
    expect(await claim(run, 'web-02')).toBe(200);
    expect(await claim(run, 'web-03')).toBe(406);
    await work(run, ['web-01', 'web-02'], 'fail');
    await work(run, MEMBERS);
    await expectDone(run, 'released');
  });

  it('is held at the third failure, until three machines are mended', async () => {
    const run = await begun();
    await work(run, MEMBERS.slice(0, 3), 'fail');
    await expectCurrent(run, 'held');
    const refused = await ask(run, 'fleet');
    // Not yet: machines wait.
    expect([refused.status, refused.headers.has('Retry-After')]).toEqual([406, true]);
    for (const by of MEMBERS.slice(0, 3)) await put(run, 'held', { event: 'mended', by });
    await work(run, MEMBERS);
    await expectDone(run, 'released');
  });

  it('goes back if nobody decides within half an hour, and a pause stops this time', async () => {
    const run = await begun();
    await work(run, MEMBERS.slice(0, 3), 'fail');
    await send('POST', `/${run}/pause`);
    await wait(run, HOUR);
    expect((await statusOf(run)).states).toEqual(['held']);
    await send('POST', `/${run}/resume`);
    await wait(run, 30 * MINUTE - 1);
    await expectCurrent(run, 'held');
    await wait(run, 1);
    await expectCurrent(run, 'rollback');
    for (const by of MEMBERS) await put(run, 'rollback', { by });
    await expectDone(run, 'rolled_back');
  });
});
