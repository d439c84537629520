/** `charts/acme/night.yaml`, the fleet of docs/fleet.md, over its nights by a simulated clock. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { evict, send, statePath, statusOf } from './service.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** 13:00 in Berlin: the window opens at 22:00, and no work is begun after 4:30. */
const NOON = '2040-06-01T11:00:00Z';
const EVENING = '2040-06-01T20:00:00Z';

const ZONES = ['north', 'south'] as const;
const CANARIES = ['n01', 'n02', 's01', 's02'];
const ALL = ZONES.flatMap((zone) =>
  Array.from({ length: 20 }, (_, i) => `${zone[0]}${String(i + 1).padStart(2, '0')}`),
);
const MEMBERS = ALL.map((name) => {
  const zone = name.startsWith('n') ? 'north' : 'south';
  return `${name} zone=${zone}${CANARIES.includes(name) ? ' role=canary' : ''}\n`;
}).join('');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

let runs = 0;

class Fleet {
  readonly address: string;

  constructor() {
    runs += 1;
    this.address = `acme/night@${runs}`;
  }

  async begin(at: string): Promise<void> {
    vi.setSystemTime(Date.parse(at));
    expect(await this.#send('PUT', `/${this.address}/members`, MEMBERS)).toBe('200');
  }

  /** Lets time pass. The object is evicted meanwhile. */
  async wait(ms: number): Promise<void> {
    await evict(this.address);
    vi.setSystemTime(Date.now() + ms);
  }

  ask(by: string, state: string): Promise<string> {
    return this.#send('GET', `${statePath(this.address, state)}&by=${by}`);
  }

  claim(by: string): Promise<string> {
    return this.#send('POST', `/${this.address}/claims?state=${zoneOf(by)}&by=${by}`);
  }

  report(by: string, state: string, event = 'update'): Promise<string> {
    return this.#send('PUT', `${statePath(this.address, state)}&by=${by}&event=${event}`);
  }

  /** Claims a slot and reports, for each machine. */
  async work(names: readonly string[], event?: string): Promise<void> {
    for (const name of names) {
      expect(await this.claim(name)).toBe('200');
      expect(await this.report(name, zoneOf(name), event)).toBe('200');
    }
  }

  /** Takes the canaries and the pause after them. */
  async takeCanaries(): Promise<void> {
    for (const name of CANARIES) expect(await this.report(name, 'canary')).toBe('200');
    await this.wait(HOUR);
    expect(await this.states()).toContain('rollout.fleet');
  }

  /** As many as want to may work at a time. */
  async setBatch(batch: string): Promise<void> {
    expect(await this.#send('PATCH', `/${this.address}/inputs?batch=${encodeURIComponent(batch)}`)).toBe(
      '204',
    );
  }

  async states(): Promise<readonly string[]> {
    return (await statusOf(this.address)).states;
  }

  /** Returns the names of the missing members, in lines. */
  async missing(): Promise<string> {
    const headers = { Accept: 'text/plain' };
    return (await send('GET', `/${this.address}/members?is=missing`, { headers })).text();
  }

  /** Returns the status; of a refusal also its code, and whether it is final. */
  async #send(method: string, path: string, body?: string): Promise<string> {
    const response = await send(method, path, body === undefined ? {} : { body });
    if (response.ok) return String(response.status);
    const { type }: { type: string } = await response.json();
    const code = type.slice(type.lastIndexOf(':') + 1);
    return `${response.status} ${code}${response.headers.has('Retry-After') ? ', not yet' : ''}`;
  }
}

function zoneOf(name: string): string {
  return `rollout.fleet.${name.startsWith('n') ? 'north' : 'south'}`;
}

async function newFleet(at = EVENING): Promise<Fleet> {
  const fleet = new Fleet();
  await fleet.begin(at);
  return fleet;
}

describe('canaries', () => {
  it('wait for the night in Berlin', async () => {
    const fleet = await newFleet(NOON);
    expect(await fleet.ask('n01', 'canary')).toBe('406 closed, not yet');
    await fleet.wait(9 * HOUR - 1);
    expect(await fleet.ask('n01', 'canary')).toBe('406 closed, not yet');
    await fleet.wait(1);
    expect(await fleet.ask('n01', 'canary')).toBe('200');
  });

  it('are first: the state is not for others, who wait for the fleet until an hour after the last canary', async () => {
    const fleet = await newFleet();
    expect(await fleet.ask('n03', 'canary')).toBe('406 not-for-you');
    expect(await fleet.missing()).toBe('n01\nn02\ns01\ns02\n');
    for (const name of CANARIES) expect(await fleet.report(name, 'canary')).toBe('200');
    await fleet.wait(HOUR - 1);
    expect(await fleet.ask('n03', 'rollout.fleet.north')).toBe('406 not-current, not yet');
    await fleet.wait(1);
    expect(await fleet.ask('n03', 'rollout.fleet.north')).toBe('200');
  });

  it.each(['canary', 'soak'])('roll back at once if one fails, in %s', async (state) => {
    const fleet = await newFleet();
    if (state === 'soak') for (const name of CANARIES) await fleet.report(name, 'canary');
    expect(await fleet.report('s01', state, 'fail')).toBe('200');
    expect(await fleet.states()).toEqual(['rollback']);
  });
});

describe('the fleet', () => {
  it('works two at a time in each zone, and a slot rests for five minutes after a report', async () => {
    const fleet = await newFleet();
    await fleet.takeCanaries();
    for (const name of ['n03', 's03', 'n04', 's04']) expect(await fleet.claim(name)).toBe('200');
    for (const name of ['n05', 's05']) expect(await fleet.claim(name)).toBe('406 slots-taken, not yet');
    expect(await fleet.report('n03', zoneOf('n03'))).toBe('200');
    await fleet.wait(5 * MINUTE - 1);
    expect(await fleet.claim('n05')).toBe('406 slots-taken, not yet');
    await fleet.wait(1);
    expect(await fleet.claim('n05')).toBe('200');
  });

  it('begins nothing after 4:30, counts what was begun, and goes on in the next night', async () => {
    const fleet = await newFleet();
    await fleet.takeCanaries();
    await fleet.wait(5.5 * HOUR - 1);
    expect(await fleet.claim('n03')).toBe('200');
    await fleet.wait(1);
    expect(await fleet.claim('n04')).toBe('406 closed, not yet');
    expect(await fleet.report('n03', zoneOf('n03'))).toBe('200');
    await fleet.wait(17.5 * HOUR);
    expect(await fleet.claim('n04')).toBe('200');
    expect(await fleet.ask('n03', zoneOf('n03'))).toBe('406 already-reported');
  });

  it('is done with 38 of 40, a day later, in which those who never came are listed', async () => {
    const fleet = await newFleet();
    await fleet.takeCanaries();
    await fleet.setBatch('all');
    const last = ['n20', 's19', 's20'];
    await fleet.work(ALL.filter((name) => !last.includes(name)));
    expect(await fleet.states()).toContain('rollout.fleet.success.open');
    expect(await fleet.missing()).toBe('n20\ns19\ns20\n');
    await fleet.work(['s19']);
    expect(await fleet.states()).toContain('rollout.fleet.success.reached');
    expect(await fleet.missing()).toBe('n20\ns20\n');
    await fleet.wait(24 * HOUR - 1);
    await fleet.work(['n20']);
    expect(await fleet.missing()).toBe('s20\n');
    await fleet.wait(1);
    expect(await fleet.states()).toEqual(['released']);
  });

  it('rolls back at the third failure, by day too, and a machine that fails twice counts once', async () => {
    const fleet = await newFleet();
    await fleet.takeCanaries();
    await fleet.setBatch('all');
    await fleet.work(['n03', 'n04', 'n03'], 'fail');
    expect(await fleet.states()).toContain('rollout.fleet');
    // A machine that has failed may try again.
    await fleet.work(['n03']);
    await fleet.work(['s03'], 'fail');
    expect(await fleet.states()).toEqual(['rollback']);
    await fleet.wait(10 * HOUR);
    for (const name of ALL) {
      expect(await fleet.ask(name, 'rollback')).toBe('200');
      expect(await fleet.report(name, 'rollback')).toBe('200');
    }
    expect(await fleet.states()).toEqual(['rolled_back']);
  });
});
