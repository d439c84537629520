/**
 * The fleet of docs/fleet.md: forty processes of night.sh and turn.sh, of which some are killed, take charts/acme/night.yaml
 * to its end. A copy of the chart is always open and faster; all else is as in the file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guarded, recipe, run, startGuarded } from '../recipes/recipe.ts';
import { cleanUp, temporaryFolder, until } from '../server.ts';

const ZONES = ['north', 'south'] as const;
const CANARIES = ['n01', 'n02', 's01', 's02'];
const ALL = ZONES.flatMap((zone) =>
  Array.from({ length: 20 }, (_, i) => `${zone[0]}${String(i + 1).padStart(2, '0')}`),
);
/** Killed at work; the last two never come back. */
const KILLED = ['n07', 's12', 'n15', 's20'];
const LOST = KILLED.slice(2);

/** Of the copy, ms. */
const COOLDOWN = 1_000;

/** What is other in the copy of the chart. */
const FASTER = [
  [/window: \{.*\}/, 'window: { cron: "* * * * *", for: 1h, zone: Europe/Berlin }'],
  [/cooldown: 5m/g, 'cooldown: 1s'],
  [/lease: 20m/g, 'lease: 5s'],
] as const;

let server: Guarded;
let authorization: string;
beforeAll(async () => {
  let chart = await readFile('charts/acme/night.yaml', 'utf8');
  for (const [shown, copied] of FASTER) {
    expect(chart).toMatch(shown);
    chart = chart.replace(shown, copied);
  }
  server = await startGuarded({ 'acme/night.yaml': chart });
  authorization = await server.authorization('read', 'update');
  const members = ALL.map((name) => {
    return `${name} zone=${zoneOf(name)}${CANARIES.includes(name) ? ' role=canary' : ''}\n`;
  });
  const { status } = await server.ask('PUT', '/acme/night/members', members.join(''));
  expect(status).toBe(200);
});
afterAll(() => {
  for (const { pid, exitCode, signalCode } of started)
    if (exitCode === null && signalCode === null) kill(pid);
});
afterAll(cleanUp);

const started = new Set<ChildProcess>();

/** One span of work of a machine, ms since the epoch. */
interface Work {
  readonly name: string;
  readonly from: number;
  /** Missing if it was killed. */
  to?: number;
}

/** Starts the script again after a failure, as a service of systemd does. */
const SERVICE = 'until "$@"; do sleep 1; done';

/** Machines of one run, each a service in a process group of its own. */
class Machines {
  readonly #machine: string;
  readonly #folder: string;
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(machine: string, folder: string) {
    this.#machine = machine;
    this.#folder = folder;
  }

  /**
   * Starts a run with a pause and an end of seconds.
   * @param behaviour of the work, by machine: `hang`s until it is killed, or `fail`s.
   */
  static async begin(run: string, behaviour: Readonly<Record<string, 'hang' | 'fail'>>): Promise<Machines> {
    const folder = await temporaryFolder();
    const machines = new Machines(`acme/night@${run}`, folder);
    for (const name of ['behaviour', 'pids']) await mkdir(join(folder, name));
    for (const [name, what] of Object.entries(behaviour))
      await writeFile(join(folder, 'behaviour', name), what);
    await writeFile(join(folder, 'log'), '');
    await program(
      join(folder, 'deploy.sh'),
      `echo $$ >"pids/$NAME"
echo "$NAME from $(date +%s%3N)" >>log
case $(cat "behaviour/$NAME" 2>/dev/null) in hang) sleep 60 ;; fail) exit 1 ;; esac
sleep 0.2
echo "$NAME to $(date +%s%3N)" >>log`,
    );
    await program(join(folder, 'rollback.sh'), 'echo "$NAME back 0" >>log');
    expect((await server.ask('POST', `/${machines.#machine}/start?soak=1s&grace=3s`)).status).toBe(201);
    return machines;
  }

  start(names: readonly string[]): void {
    for (const name of names) {
      const args = [this.url, name, zoneOf(name), '-q', '-t', authorization];
      const child = spawn('sh', ['-c', SERVICE, 'sh', recipe('night.sh'), ...args], {
        cwd: this.#folder,
        detached: true,
        stdio: 'ignore',
        env: { ...process.env, NAME: name, PATH: `${dirname(recipe('turn.sh'))}:${process.env.PATH}` },
      });
      started.add(child);
      this.#processes.set(name, child);
    }
  }

  /** Kills a machine as soon as it works. */
  async killAtWork(name: string): Promise<void> {
    await until(async () => (await this.log()).includes(`${name} from `), 40_000);
    kill(this.#processes.get(name)?.pid);
    // Its work has a process group of its own.
    kill(Number(await readFile(join(this.#folder, 'pids', name), 'utf8')));
    await rm(join(this.#folder, 'behaviour', name));
  }

  /** @returns the exit codes of all machines that were started, by name; null of those that were killed. */
  async ended(): Promise<Map<string, number | null>> {
    const codes = [...this.#processes].map(async ([name, child]) => {
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((done) => child.once('exit', done));
      return [name, child.exitCode] as const;
    });
    return new Map(await Promise.all(codes));
  }

  log(): Promise<string> {
    return readFile(join(this.#folder, 'log'), 'utf8');
  }

  async work(): Promise<Work[]> {
    const work: Work[] = [];
    for (const line of (await this.log()).split('\n')) {
      const [name = '', what, at] = line.split(' ');
      if (what === 'from') work.push({ name, from: Number(at) });
      const last = work.findLast((one) => one.name === name);
      if (what === 'to' && last !== undefined) last.to = Number(at);
    }
    return work;
  }

  ask(method: string, resource: string): Promise<Response> {
    return server.ask(method, `/${this.#machine}/${resource}`);
  }

  get url(): string {
    return `${server.url}/${this.#machine}`;
  }

  async isIn(state: string): Promise<void> {
    await until(async () => (await server.status(this.#machine)).states.includes(state), 50_000);
  }
}

describe('a fleet of forty', () => {
  it('is released by night, two at a time in each zone, without the two that have died', async () => {
    const machines = await Machines.begin('1', Object.fromEntries(KILLED.map((name) => [name, 'hang'])));
    machines.start(ALL);
    const deaths = KILLED.map(async (name) => {
      await machines.killAtWork(name);
      if (!LOST.includes(name)) machines.start([name]);
    });

    // An operator lets more of them work at a time.
    await until(async () => (await machines.work()).length >= 16, 40_000);
    const hurried = Date.now();
    expect((await machines.ask('PATCH', 'inputs?batch=20%25')).status).toBe(204);

    await Promise.all(deaths);
    await machines.isIn('rollout.fleet.success.reached');
    const list = `curl -sf -H @${authorization} -H 'Accept: text/plain' '${machines.url}/members?is=missing'`;
    expect(await run('sh', ['-c', `${list} | xargs -n1 echo never came:`])).toMatchObject({
      stdout: 'never came: n15\nnever came: s20\n',
    });
    await machines.isIn('released');

    // Every machine that is alive has ended with success, and has worked once; a canary or a machine that was killed twice.
    const codes = await machines.ended();
    for (const name of ALL) expect([name, codes.get(name)]).toEqual([name, LOST.includes(name) ? null : 0]);
    const work = await machines.work();
    const times = (name: string) => work.filter((one) => one.name === name).length;
    for (const name of ALL) {
      const isTwice = CANARIES.includes(name) || (KILLED.includes(name) && !LOST.includes(name));
      expect([name, times(name)]).toEqual([name, isTwice ? 2 : 1]);
    }

    // The canaries come first.
    const canaries = work.filter(({ name }, i) => work.findIndex((one) => one.name === name) === i);
    const ends = canaries.filter(({ name }) => CANARIES.includes(name)).map(({ to = 0 }) => to);
    const fleet = work.filter(({ from }) => from > Math.max(...ends));
    expect(work.length - fleet.length).toBe(CANARIES.length);

    // The pace: a slot is taken from the claim to the end of the cooldown after the report.
    for (const zone of ZONES) {
      const inZone = fleet.filter(({ name }) => zoneOf(name) === zone);
      const most = mostAtOnce(inZone);
      expect(most).toBeLessThanOrEqual(4);
      expect(mostAtOnce(inZone.filter(({ from }) => from < hurried))).toBeLessThanOrEqual(2);
      // The slots were used.
      expect(most).toBeGreaterThan(2);
    }

    // The service has counted what the machines have done.
    const counted: string[] = [];
    for (const zone of ZONES) {
      const response = await machines.ask('GET', `reports?state=rollout.fleet.${zone}`);
      const { reports }: { reports: { by: string; event: string }[] } = await response.json();
      for (const { by, event } of reports) if (event === 'update') counted.push(by);
    }
    expect(counted.toSorted()).toEqual(ALL.filter((name) => !LOST.includes(name)).toSorted());
  });

  it('rolls back at the third failure', async () => {
    const failing = ['n05', 'n06', 's05'];
    const machines = await Machines.begin('2', Object.fromEntries(failing.map((name) => [name, 'fail'])));
    machines.start([...CANARIES, ...failing, 's06']);
    const ended = await machines.ended();
    expect([...ended.values()]).toEqual(Array(8).fill(0));
    const back = [...(await machines.log()).matchAll(/(\w+) back/g)].map(([, name]) => name);
    expect(back.toSorted()).toEqual([...CANARIES, ...failing, 's06'].toSorted());
  });
});

function zoneOf(name: string): string {
  return name.startsWith('n') ? 'north' : 'south';
}

/** Kills a machine with all its processes. */
function kill(pid: number | undefined): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

async function program(file: string, script: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

/** The most slots that were taken at once. The end of a machine that was killed is not known: its slot does not count. */
function mostAtOnce(work: readonly Work[]): number {
  const changes = work.flatMap(({ from, to }) =>
    to === undefined
      ? []
      : [
          { at: from, change: 1 },
          { at: to + COOLDOWN, change: -1 },
        ],
  );
  changes.sort((a, b) => a.at - b.at || a.change - b.change);
  let taken = 0;
  return changes.reduce((most, { change }) => {
    taken += change;
    return Math.max(most, taken);
  }, 0);
}
