/** Tests that run every command of the documentation as written, and check that it does what the page says. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lacks } from '../recipes/recipe.ts';
import { cleanUp, runCli, type Server, startServer } from '../server.ts';
import { type Block, type Command, commandsOf, statusOf } from './page.ts';
import { BLOCKS } from './pages.ts';
import { type Done, type, workingCopy } from './session.ts';
import { asShown } from './shown.ts';

/** Requests that are sent before the commands under a heading; each is answered 200. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  'When it says no': [
    ...[1, 2, 3, 4, 5].map((i) => `POST /acme/patch/claims?state=patch&by=web-0${i}`),
    'PUT /acme/approval@1/state?state=build',
    'PUT /acme/approval@1/state?state=waiting&event=reject',
  ],
};

/** The addresses of the service in the pages. */
const ADDRESS =
  /http:\/\/localhost:5000|https:\/\/stateservice\.NAME\.workers\.dev|https:\/\/state\.example\.com/g;

/** Tools that may be missing on this machine; the gate installs them. */
const TOOLS = ['jq', 'openssl', 'ansible-playbook'];

/** A page with a receiver of notifications: incident.test.ts runs it. */
const WITH_RECEIVER = 'docs/incident.md';

const pages = Map.groupBy(
  BLOCKS.filter(({ language, page }) => ['sh', 'console'].includes(language) && page !== WITH_RECEIVER),
  ({ page }) => page,
);

const secret = randomBytes(32).toString('base64');

interface Front {
  /** Puts something between the commands and a server. @returns its URL */
  start(server: Server): Promise<string>;
  /** Why a block cannot be run so, if it cannot. */
  whyNot(block: Block): string | undefined;
}

const NO_FRONT: Front = { start: async ({ url }) => url, whyNot: () => undefined };

/** Declares the tests. */
export function testCommands(front = NO_FRONT): void {
  let copy: string;
  let servers: readonly Server[];
  let open: string;
  let guarded: string;
  let admin: string;
  let token: string;
  beforeAll(async () => {
    copy = await workingCopy();
    const charts = join(copy, 'charts');
    const env = { TOKEN_SECRET: secret };
    servers = await Promise.all([startServer({ charts }), startServer({ charts, env })]);
    [open = '', guarded = ''] = await Promise.all(servers.map(front.start));
    admin = await newToken('*', 'read,update,operate,admin');
    token = await newToken('acme/*', 'read,update');
    for (const folder of ['.', 'docs/recipes'])
      await writeFile(join(copy, folder, 'authorization'), `Authorization: Bearer ${token}\n`);
  });
  afterAll(cleanUp);

  // Each block starts without machines.
  afterEach(async () => {
    await Promise.all(servers.map((server) => eraseMachines(server, admin)));
  });

  it('are on these pages', () => {
    expect([...pages.keys()]).toEqual([
      'CONTRIBUTING.md',
      'README.md',
      'SECURITY.md',
      'docs/approval.md',
      'docs/deploying.md',
      'docs/figures.md',
      'docs/fleet.md',
      'docs/large-fleets.md',
      'docs/notifications.md',
      'docs/recipes/README.md',
      'docs/reference.md',
    ]);
  });

  describe.each([...pages])('%s', (page, blocks) => {
    for (const block of blocks) {
      const commands = commandsOf(block);
      const missing = TOOLS.filter((tool) => block.text.includes(tool) && lacks(tool));
      const title = `line ${block.line}: ${block.heading}${missing.map((tool) => ` (lacks ${tool})`).join('')}`;
      it.skipIf(missing.length > 0)(title, async ({ skip }) => {
        const why = front.whyNot(block);
        if (why !== undefined) skip(why);
        // Blocks with a token run against a server that asks for tokens.
        const url = /token|authorization/i.test(block.text) ? guarded : open;
        for (const request of GIVEN[block.heading] ?? []) await send(url, request, admin);
        const env = { HOST: url, TOKEN: token, TOKEN_SECRET: secret, SECRET: secret };
        // Commands of the recipes run in their folder, all others in the folder of the package.
        const folder = page.startsWith('docs/recipes/') ? 'docs/recipes' : '.';
        const typed = commands.map(({ text }) => text.replaceAll(ADDRESS, url));
        const done = await type(typed, copy, folder, env);
        for (const [i, command] of commands.entries()) {
          if (block.language === 'console') expectShown(command, done[i]);
          else expectSuccess(command, done[i]);
        }
      });
    }
  });
}

function expectShown({ text, shown }: Command, done: Done | undefined): void {
  expect(asShown(done?.stdout ?? [], shown), text).toEqual(shown);
  expect({ code: done?.code, stderr: done?.stderr }, text).toEqual({ code: 0, stderr: '' });
}

function expectSuccess(command: Command, done: Done | undefined): void {
  expect(done, `${command.text}\n${done?.stderr}`).toMatchObject({ code: 0 });
  for (const status of done?.answered ?? []) expect(String(status), command.text).toMatch(statusOf(command));
}

async function newToken(charts: string, can: string): Promise<string> {
  const flags = ['--charts', charts, '--can', can, '--sub', 'tester'];
  const { code, stdout, stderr } = await runCli(['token', ...flags], { TOKEN_SECRET: secret });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

async function send(url: string, request: string, token: string): Promise<void> {
  const [method = '', path = ''] = request.split(' ');
  const response = await ask(url, method, path, token);
  expect(response.status, await response.text()).toBe(200);
}

async function eraseMachines({ url }: Server, token: string): Promise<void> {
  for (const tenant of ['acme', 'team']) {
    const list: { machines: { machine: string }[] } = await (
      await ask(url, 'GET', `/${tenant}`, token)
    ).json();
    for (const { machine } of list.machines) await ask(url, 'DELETE', `/${machine}`, token);
  }
  await ask(url, 'DELETE', '/', token);
}

/** Sends a request. @param token with every right. */
function ask(url: string, method: string, path: string, token: string): Promise<Response> {
  return fetch(`${url}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
}
