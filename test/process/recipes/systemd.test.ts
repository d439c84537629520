/**
 * Tests the recipe for systemd. systemd itself checks the units. Their commands are run in its order, until one fails, because
 * a test cannot boot a host.
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Guarded, lacks, recipe, run, startGuarded } from './recipe.ts';

const CHART = `initial: before
states:
  before: { on: { update: canary, skip: after } }
  canary: { on: { update: { target: after, quorum: 2 } } }
  after: { type: final }
`;

let server: Guarded;
let credentials: string;
beforeAll(async () => {
  server = await startGuarded({ 'acme/canary.yaml': CHART });
  credentials = dirname(await server.authorization('read', 'update'));
});
afterAll(cleanUp);

let runs = 0;

function newRun(): string {
  runs += 1;
  return `acme/canary@${runs}`;
}

async function send(machine: string, event = 'update'): Promise<void> {
  expect((await server.ask('PUT', `/${machine}/state?state=before&event=${event}`)).status).toBe(200);
}

describe('systemd-analyze', () => {
  it.skipIf(lacks('systemd-analyze'))('finds nothing wrong with the unit', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'state-turn@.service'), await unit('state-turn@.service', '/usr/bin/true'));
    expect(await verify(join(folder, 'state-turn@.service'))).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.skipIf(lacks('systemd-analyze'))('finds nothing wrong with a service that is gated', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'update.service'), '[Service]\nType=oneshot\nExecStart=/usr/bin/true\n');
    await mkdir(join(folder, 'update.service.d'));
    await writeFile(join(folder, 'update.service.d', 'gate.conf'), await unit('gate.conf', '/usr/bin/true'));
    expect(await verify(join(folder, 'update.service'))).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('state-turn@canary', () => {
  it('waits for its turn, works and reports with the name of the host', async () => {
    const machine = newRun();
    const ended = start('state-turn@.service', machine, '/usr/bin/true');
    await server.isWaitedAt(machine);
    await send(machine);
    expect(await ended).toEqual(['ExecStart 0']);
    expect((await server.status(machine)).quorums).toMatchObject([{ by: [hostname()] }]);
  });

  it('does nothing, without a failure, when it is started again after its report', async () => {
    const machine = newRun();
    await send(machine);
    const log = join(await temporaryFolder(), 'log');
    const work = await program(`echo worked >> ${log}`);
    for (const _ of [1, 2])
      expect(await start('state-turn@.service', machine, work)).toEqual(['ExecStart 0']);
    expect(await readFile(log, 'utf8')).toBe('worked\n');
  });

  it('reports nothing after a failure', async () => {
    const machine = newRun();
    await send(machine);
    expect(await start('state-turn@.service', machine, '/usr/bin/false')).toEqual(['ExecStart 1']);
    expect((await server.status(machine)).quorums).toMatchObject([{ by: [] }]);
  });

  it('is not started again if the state cannot become current any more', async () => {
    const machine = newRun();
    await send(machine, 'skip');
    expect(await start('state-turn@.service', machine, '/usr/bin/true')).toEqual(['ExecStart 76']);
    expect(await readFile(recipe('systemd/state-turn@.service'), 'utf8')).toContain(
      '\nRestartPreventExitStatus=76\n',
    );
  });
});

describe('a service that is gated', () => {
  it('is skipped without a failure before its turn and after its report', async () => {
    const machine = newRun();
    // systemd.service(5): 1 to 254 skips the service, 255 is a failure.
    expect(await start('gate.conf', machine, '/usr/bin/true')).toEqual(['ExecCondition 75']);
    await send(machine);
    expect(await start('gate.conf', machine, '/usr/bin/true')).toEqual([
      'ExecCondition 0',
      'ExecStartPost 0',
    ]);
    expect((await server.status(machine)).quorums).toMatchObject([{ by: [hostname()] }]);
    expect(await start('gate.conf', machine, '/usr/bin/true')).toEqual(['ExecCondition 77']);
  });
});

/** Writes a shell script. */
async function program(script: string): Promise<string> {
  const file = join(await temporaryFolder(), 'program');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

async function verify(file: string) {
  // Errors in the host's own units do not count.
  const path = `${dirname(file)}:/lib/systemd/system:/usr/lib/systemd/system`;
  return run('systemd-analyze', ['verify', '--man=no', file], { env: { SYSTEMD_UNIT_PATH: path } });
}

/** Reads a unit, with the paths of its programs on this machine. */
async function unit(name: string, work: string): Promise<string> {
  const text = await readFile(recipe(`systemd/${name}`), 'utf8');
  return text
    .replaceAll('/usr/local/bin/turn.sh', recipe('turn.sh'))
    .replaceAll('/usr/local/lib/state-turn/%i', work);
}

/** Runs the commands of a unit in the order of systemd.service(5). @returns each one's name and exit code. */
async function start(name: string, machine: string, work: string): Promise<string[]> {
  const text = await unit(name, work);
  const settings = [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => ({ key, value }));
  const env = new Map([['CREDENTIALS_DIRECTORY', credentials]]);
  for (const { key, value } of settings) {
    const [, variable, content = ''] = /^(\w+)=(.*)$/.exec(value) ?? [];
    if (key === 'Environment' && variable !== undefined) env.set(variable, content);
  }
  env.set('MACHINE', `${server.url}/${machine}`);

  const ended: string[] = [];
  for (const step of ['ExecCondition', 'ExecStartPre', 'ExecStart', 'ExecStartPost']) {
    for (const { key, value } of settings) {
      if (key !== step) continue;
      const [program = '', ...args] = value.split(' ').map((word) => expand(word, env));
      const { code, stdout } = await run(program, args);
      expect(stdout).toBe('');
      ended.push(`${step} ${code}`);
      if (code !== 0) return ended;
    }
  }
  return ended;
}

/** The specifiers of systemd.unit(5) and the variables of systemd.service(5) that the recipes use. */
function expand(word: string, env: ReadonlyMap<string, string>): string {
  const specifiers = new Map([
    ['%i', 'canary'],
    ['%I', 'canary'],
    ['%H', hostname()],
  ]);
  return word
    .replaceAll(/%./g, (specifier) => known(specifiers, specifier))
    .replaceAll(/\$\{(\w+)\}/g, (_, variable) => known(env, variable));
}

function known(map: ReadonlyMap<string, string>, key: string): string {
  const value = map.get(key);
  if (value === undefined) throw new Error(`${key} is not known`);
  return value;
}
