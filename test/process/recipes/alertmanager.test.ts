/** Runs the recipe in Alertmanager, with alerts of amtool. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, temporaryFolder, until } from '../server.ts';
import { lacks, recipe, run, startGuarded } from './recipe.ts';

const started: ChildProcess[] = [];
afterAll(async () => {
  for (const process of started) process.kill('SIGKILL');
  await cleanUp();
});

const CHART = `initial: canary
states:
  canary: { on: { fail: failing } }
  failing: { on: { fail: rollback } }
  rollback: { type: final }
`;

describe.skipIf(lacks('prometheus-alertmanager') || lacks('amtool'))('prometheus-alertmanager', () => {
  it('reports a firing alert as a failure, also with more text than a report takes as data', async () => {
    const server = await startGuarded({ 'acme/canary.yaml': CHART });
    await server.ask('GET', '/acme/canary/state?state=canary');
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'stateservice.token'), `${await server.token('update')}\n`);
    const text = await readFile(recipe('alertmanager/alertmanager.yml'), 'utf8');
    const config = join(folder, 'alertmanager.yml');
    await writeFile(config, text.replace('https://state.example.com', server.url));
    const checked = await run('amtool', ['check-config', config]);
    expect(checked.code, checked.stderr).toBe(0);
    const api = await startAlertmanager(config, folder);

    const alert = (...labels: string[]) =>
      run('amtool', ['alert', 'add', `--alertmanager.url=${api}`, 'alertname=Errors', ...labels]);
    // An alert of another rollout is for nobody.
    await alert('rollout=other');
    const added = await alert('rollout=canary', `--annotation=text=${'x'.repeat(8_000)}`);
    expect(added.code, added.stderr).toBe(0);
    await until(async () => (await server.status('acme/canary')).states.includes('failing'), 20_000);
    const { history } = (await (await server.ask('GET', '/acme/canary/history')).json()) as {
      history: { by: string; event: string; notes: string[] }[];
    };
    expect(history[0]).toMatchObject({
      by: 'alertmanager',
      event: 'fail',
      notes: [expect.stringContaining('left out')],
    });
    expect(history).toHaveLength(2);
  }, 60_000);
});

async function startAlertmanager(config: string, folder: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  await mkdir(join(folder, 'data'));
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  started.push(child);
  const url = `http://${address}`;
  await until(async () => {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    return ready?.ok === true;
  }, 20_000);
  return url;
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer().on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
