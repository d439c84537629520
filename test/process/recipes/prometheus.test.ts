/** Tests the rules of the recipe with promtool, and runs the whole recipe in a Prometheus that scrapes a server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cleanUp, temporaryFolder, until } from '../server.ts';
import { lacks, recipe, run, startGuarded } from './recipe.ts';

const started: ChildProcess[] = [];
afterAll(async () => {
  for (const prometheus of started) prometheus.kill('SIGKILL');
  await cleanUp();
});

describe('the rules', () => {
  it.skipIf(lacks('promtool'))('are told and untold as their own tests say, by promtool', async () => {
    const { code, stdout, stderr } = await run('promtool', [
      'test',
      'rules',
      recipe('prometheus/rules.test.yml'),
    ]);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('SUCCESS');
  });
});

describe('the configuration', () => {
  it.skipIf(lacks('promtool'))('is accepted by promtool, the token beside it', async () => {
    const folder = await copyFor('https://state.example.com', 'token');
    const { code, stdout, stderr } = await run('promtool', [
      'check',
      'config',
      join(folder, 'prometheus.yml'),
    ]);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('SUCCESS: 3 rules found');
  });

  it.skipIf(lacks('prometheus'))(
    'scrapes both machines with its token, in prometheus, and finds every series of the rules',
    async () => {
      const server = await startGuarded({
        'acme/canary.yaml': await readFile('charts/acme/canary.yaml', 'utf8'),
        'acme/patch.yaml': await readFile('charts/acme/patch.yaml', 'utf8'),
      });
      const folder = await copyFor(server.url, await server.token('read'));
      const api = await startPrometheus(folder);

      await until(async () => (await query(api, 'up == 1')).length === 2, 30_000);
      const names =
        (await readFile(recipe('prometheus/rules.yml'), 'utf8')).match(/\bstateservice_\w+/g) ?? [];
      expect(new Set(names).size).toBe(4);
      for (const name of names) {
        const found = await query(api, name);
        expect(new Set(found.map(({ machine }) => machine)), name).toEqual(
          new Set(['acme/canary', 'acme/patch']),
        );
        // Prometheus renames a label that the target has too.
        for (const labels of found) expect(labels).not.toHaveProperty('exported_machine');
      }
      // Each rule was evaluated without an error.
      await until(async () => (await ruleStates(api)).join() === 'ok,ok,ok', 30_000);
    },
  );
});

/** Copies the recipe, for another server and with a token. */
async function copyFor(server: string, token: string): Promise<string> {
  const folder = await temporaryFolder();
  await cp(recipe('prometheus'), folder, { recursive: true });
  await writeFile(join(folder, 'stateservice.token'), `${token}\n`);
  const { protocol, host } = new URL(server);
  const text = await readFile(recipe('prometheus/prometheus.yml'), 'utf8');
  const adapted = text
    .replace('scheme: https', `scheme: ${protocol.slice(0, -1)}`)
    .replaceAll('state.example.com', host)
    .replace('scrape_interval: 30s', 'scrape_interval: 1s');
  await writeFile(join(folder, 'prometheus.yml'), `global: { evaluation_interval: 1s }\n${adapted}`);
  return folder;
}

/** @returns the URL of its API. */
async function startPrometheus(folder: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
  ];
  const prometheus = spawn('prometheus', args, { stdio: 'ignore' });
  started.push(prometheus);
  await new Promise((done, fail) => prometheus.once('spawn', done).once('error', fail));
  const api = `http://${address}/api/v1`;
  await until(async () => (await fetch(`${api}/rules`).catch(() => undefined))?.ok === true, 30_000);
  return api;
}

const Found = z.object({
  data: z.object({ result: z.array(z.object({ metric: z.record(z.string(), z.string()) })) }),
});

const Rules = z.object({
  data: z.object({ groups: z.array(z.object({ rules: z.array(z.object({ health: z.string() })) })) }),
});

/** @returns the labels of each series that matches. */
async function query(api: string, expression: string): Promise<Record<string, string>[]> {
  const response = await fetch(`${api}/query?query=${encodeURIComponent(expression)}`);
  return Found.parse(await response.json()).data.result.map(({ metric }) => metric);
}

async function ruleStates(api: string): Promise<string[]> {
  const { data } = Rules.parse(await (await fetch(`${api}/rules`)).json());
  return data.groups.flatMap(({ rules }) => rules.map(({ health }) => health));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('it listened on no port');
  return address.port;
}
