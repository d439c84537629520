/** Runs the recipe for Ansible with Ansible. All hosts are this one. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Guarded, lacks, type Ran, recipe, run, startGuarded } from './recipe.ts';

const CHARTS = {
  'acme/turns.yaml': `initial: before
states:
  before: { on: { update: canary, skip: after } }
  canary:
    on:
      update: { target: after, quorum: 3 }
      fail: failed
  after: { type: final }
  failed: { type: final }
`,
  'acme/slots.yaml': `initial: patch
states:
  patch:
    slots: 1
    on: { update: { target: after, quorum: 3 } }
  after: { type: final }
`,
};

let server: Guarded;
beforeAll(async () => {
  server = await startGuarded(CHARTS);
});
afterAll(cleanUp);

let runs = 0;

function newRun(chart: string): string {
  runs += 1;
  return `acme/${chart}@${runs}`;
}

/** Runs a playbook for `web-01` and so on. @param work a shell script. */
async function play(playbook: string, machine: string, hosts: number, work: string): Promise<Ran> {
  const folder = await temporaryFolder();
  const names = Array.from({ length: hosts }, (_, i) => `web-0${i + 1}`);
  const local = 'ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}"';
  await writeFile(join(folder, 'hosts.ini'), names.map((name) => `${name} ${local}\n`).join(''));
  await writeFile(join(folder, 'token'), `${await server.token('read', 'update')}\n`);
  await writeFile(join(folder, 'work'), `#!/bin/sh\n${work}\n`);
  await chmod(join(folder, 'work'), 0o755);
  // The recipe waits for a minute at a time: too long for a test.
  const text = await readFile(recipe(`ansible/${playbook}`), 'utf8');
  const hasty = text.replaceAll('delay: 5', 'delay: 1').replace('wait=60s', 'wait=1s');
  await writeFile(join(folder, playbook), hasty);
  const variables = {
    machine: `${server.url}/${machine}`,
    token_file: join(folder, 'token'),
    work: join(folder, 'work'),
  };
  const args = ['-i', 'hosts.ini', '-e', JSON.stringify(variables), playbook];
  // Verbose: the output must not show the token.
  return run('ansible-playbook', ['-vvv', ...args], {
    cwd: folder,
    env: { LC_ALL: 'C.UTF-8', ANSIBLE_HOME: folder, ANSIBLE_LOCAL_TEMP: folder, ANSIBLE_REMOTE_TEMP: folder },
  });
}

async function send(machine: string, event: string): Promise<void> {
  const { status } = await server.ask('PUT', `/${machine}/state?state=before&event=${event}`);
  expect(status).toBe(200);
}

describe.skipIf(lacks('ansible-playbook'))('ansible-playbook', () => {
  it('waits for the turn of all hosts, and reports with the name of each', async () => {
    const machine = newRun('turns');
    const ended = play('turn.yml', machine, 3, 'exit 0');
    await server.isWaitedAt(machine);
    // By then each host has got the answer "not yet".
    await pause(2_500);
    await send(machine, 'update');
    const { code, stdout } = await ended;
    expect(code, stdout).toBe(0);
    expect((await server.status(machine)).states).toEqual(['after']);
    const history = await (await server.ask('GET', `/${machine}/history`)).text();
    for (const name of ['web-01', 'web-02', 'web-03']) expect(history).toContain(`"by": "${name}"`);
    // The token is passed as a value that Ansible never prints. (Tokens have the same beginning.)
    expect(stdout).toContain('"url_password": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"');
    expect(stdout).not.toContain((await server.token('read')).split('.')[0]);
  });

  it('stops at once if the state cannot become current any more', async () => {
    const machine = newRun('turns');
    await send(machine, 'skip');
    const { code, stdout } = await play('turn.yml', machine, 1, 'echo worked');
    expect(code).toBe(2);
    expect(stdout).toContain('cannot come any more');
    expect(stdout).not.toContain('worked');
  });

  it('does nothing on a host that has reported, and reports the failure of another', async () => {
    const machine = newRun('turns');
    await send(machine, 'update');
    await server.ask('PUT', `/${machine}/state?state=canary&by=web-01`);
    const log = join(await temporaryFolder(), 'log');
    const { code, stdout } = await play('turn.yml', machine, 2, `echo worked >> ${log}\nexit 3`);
    expect(code, stdout).toBe(2);
    expect(await readFile(log, 'utf8')).toBe('worked\n');
    expect((await server.status(machine)).states).toEqual(['failed']);
    const history = await (await server.ask('GET', `/${machine}/history`)).text();
    expect(history).toMatch(/"event": "fail",[^}]*"by": "web-02"/);
  });

  it('lets one host work at a time if there is one slot, and claims none for a host that has reported', async () => {
    const machine = newRun('slots');
    for (const request of ['POST claims', 'PUT state']) {
      const [method = '', resource] = request.split(' ');
      await server.ask(method, `/${machine}/${resource}?state=patch&by=web-01`);
    }
    const folder = await temporaryFolder();
    const [working, log] = [join(folder, 'working'), join(folder, 'log')];
    // `mkdir` fails if the folder exists: then another host works at the same time.
    const work = `mkdir ${working} && sleep 0.3 && rmdir ${working} && echo worked >> ${log}`;
    const { code, stdout } = await play('claims.yml', machine, 3, work);
    expect(code, stdout).toBe(0);
    expect(await readFile(log, 'utf8')).toBe('worked\nworked\n');
    expect((await server.status(machine)).states).toEqual(['after']);
  });

  it('frees the slot after a failure', async () => {
    const machine = newRun('slots');
    const { code } = await play('claims.yml', machine, 1, 'exit 3');
    expect(code).toBe(2);
    expect((await server.status(machine)).claims).toMatchObject([{ holders: [] }]);
  });
});
