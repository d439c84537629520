/** Sends the requests that Zincati sends with the recipe's configuration. Zincati itself is not run. */
import { readFile } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { cleanUp, runCli } from '../server.ts';
import { type Guarded, recipe, run, startGuarded } from './recipe.ts';

/** The names of Zincati's settings (its src/config/fragments.rs). */
const Configuration = z.strictObject({
  identity: z.strictObject({ group: z.string() }),
  updates: z.strictObject({
    strategy: z.literal('fleet_lock'),
    fleet_lock: z.strictObject({ base_url: z.url() }),
  }),
});

const { identity, updates } = Configuration.parse(
  parse(await readFile(recipe('zincati/55-updates-strategy.toml'), 'utf8')),
);

let server: Guarded;
let token: string;
beforeAll(async () => {
  server = await startGuarded({
    'acme/reboots.yaml': await readFile(recipe('zincati/reboots.yaml'), 'utf8'),
  });
  token = await server.token('update');
});
afterAll(cleanUp);

/** Sends a request for a node. @returns the status. */
async function ask(path: 'v1/pre-reboot' | 'v1/steady-state', id: string, password = token): Promise<number> {
  const base = updates.fleet_lock.base_url
    .replace('https://', 'http://')
    .replace('state.example.com', new URL(server.url).host)
    .replace('TOKEN', password);
  const body = JSON.stringify({ client_params: { id, group: identity.group } });
  // As reqwest and the `url` crate do, on which Zincati's client is built (src/fleet_lock/mod.rs): the path is resolved
  // like a link, and the user and password of the URL are sent as `Authorization: Basic`.
  const url = new URL(path, base).href;
  const header = ['-H', 'fleet-lock-protocol: true'];
  const { stdout } = await run('curl', [
    '-sS',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    ...header,
    '-d',
    body,
    url,
  ]);
  return Number(stdout);
}

it('lets one node reboot after another, without an end', async () => {
  for (let update = 1; update <= 2; update++) {
    for (const node of ['a', 'b']) expect(await ask('v1/steady-state', node)).toBe(200);
    expect(await ask('v1/pre-reboot', 'a')).toBe(200);
    expect(await ask('v1/pre-reboot', 'a')).toBe(200);
    expect(await ask('v1/pre-reboot', 'b')).toBe(406);
    expect(await ask('v1/steady-state', 'a')).toBe(200);
    expect(await ask('v1/pre-reboot', 'b')).toBe(200);
    expect(await ask('v1/steady-state', 'b')).toBe(200);
  }
});

it('frees the slot of a node that does not come back, at the end of the lease', async () => {
  expect(await ask('v1/pre-reboot', 'lost')).toBe(200);
  expect(await ask('v1/pre-reboot', 'b')).toBe(406);
  expect((await server.ask('DELETE', '/acme/reboots/claims?state=reboot&by=lost')).status).toBe(204);
  expect(await ask('v1/pre-reboot', 'b')).toBe(200);
  expect(await ask('v1/steady-state', 'b')).toBe(200);
});

it('needs the token, with `update`', async () => {
  expect(await ask('v1/pre-reboot', 'a', 'TOKEN')).toBe(401);
  expect(await ask('v1/pre-reboot', 'a', await server.token('read'))).toBe(403);
});

it('has a chart without an error or a warning', async () => {
  expect(await runCli(['check', '--strict', recipe('zincati/reboots.yaml')])).toEqual({
    code: 0,
    stdout: '1 chart, 0 errors, 0 warnings\n',
    stderr: '',
  });
});
