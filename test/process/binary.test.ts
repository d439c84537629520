/** `npm run binary`: one file that serves charts, started in an empty folder with an empty PATH. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/bundle.ts';
import { folderOf } from './charts.ts';
import { SECRET as HOOK_SECRET, startReceiver, verify } from './receiver.ts';
import { lacks, type Ran, recipe, run } from './recipes/recipe.ts';
import { cleanUp, runCli, temporaryFolder, until } from './server.ts';

/** The longest time that a busy machine may take for a start, ms. */
const LONG = 40_000;

const SECRET = 'a secret that has bytes enough for it';
const CHARTS = {
  'acme/work.yaml': 'initial: work\nstates: { work: { on: { update: done } }, done: {} }\n',
  'acme/told.yaml': 'initial: a\nnotify: [{ on: b, to: OPS }]\nstates: { a: { on: { update: b } }, b: {} }\n',
};

let binary: string;
let charts: string;
let authorization: string;
beforeAll(async () => {
  binary = join(await temporaryFolder(), 'stateservice');
  const { code, stderr } = await runCli(['binary', '--out', binary, '--hook', 'OPS']);
  expect([code, stderr]).toEqual([0, '']);
  charts = await folderOf(CHARTS);
  const flags = ['--charts', 'acme/*', '--can', 'read,update', '--sub', 'tester'];
  const { stdout } = await runCli(['token', ...flags], { TOKEN_SECRET: SECRET });
  authorization = `Bearer ${stdout.trim()}`;
});
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});
afterAll(cleanUp);

const started = new Set<ChildProcess>();

/** Starts the binary in an empty folder, without PATH. @returns when it listens. */
async function start(data: string, env: Readonly<Record<string, string>>) {
  const [cwd, unpacked] = await Promise.all([temporaryFolder(), temporaryFolder()]);
  const child = spawn(binary, ['--data', data, `--charts=${charts}`, '--port', '0'], {
    cwd,
    env: { PATH: '', TMPDIR: unpacked, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise((done) => child.once('exit', done));
  const listens = /^StateService listens on (http:\/\/127\.0\.0\.1:\d+)\n/m;
  await until(() => listens.test(output) || child.exitCode !== null, LONG);
  const url = listens.exec(output)?.[1];
  if (url === undefined) throw new Error(`it does not listen: ${output}`);
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { url, cwd, unpacked, end, output: () => output };
}

it('serves, asks for tokens, and has what it answered after a kill', async () => {
  const data = join(await temporaryFolder(), 'new', 'data');
  const first = await start(data, { TOKEN_SECRET: SECRET });
  expect((await fetch(`${first.url}/acme/work/state?state=work`)).status).toBe(401);
  const headers = { Authorization: authorization };
  const report = await fetch(`${first.url}/acme/work/state?state=work`, { method: 'PUT', headers });
  expect([report.status, await report.text()]).toEqual([200, 'work']);
  expect((await stat(data)).mode & 0o777).toBe(0o700);
  // It needs nothing where it was started, and leaves nothing there.
  expect(await readdir(first.cwd)).toEqual([]);
  expect(await readdir(first.unpacked)).toEqual([]);

  // Two servers must not have the same machines.
  const second = await tryToStart(['--data', data, '--charts', charts]);
  expect(second).toMatchObject({ code: 1, stdout: '' });
  expect(second.stderr).toContain('another server uses the data folder');

  await first.end('SIGKILL');
  const again = await start(data, { TOKEN_SECRET: SECRET });
  expect((await fetch(`${again.url}/acme/work/state?state=done`, { headers })).status).toBe(200);
});

it('tells the hooks that it was made for, at the addresses of its environment', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const server = await start(await temporaryFolder(), {
    AUTH: 'open',
    HOOK_OPS: `${receiver.url}/ops ${HOOK_SECRET}`,
  });
  expect((await fetch(`${server.url}/acme/told/state?state=a`, { method: 'PUT' })).status).toBe(200);
  await until(() => receiver.received.length > 0, LONG);
  const [message] = receiver.received;
  expect(message && verify(message)).toMatchObject({ machine: 'acme/told', to: ['b'] });
});

it('is not made for what is no name of a hook', async () => {
  const { code, stderr } = await runCli([
    'binary',
    '--out',
    join(await temporaryFolder(), 'x'),
    '--hook',
    'ops',
  ]);
  expect(code).toBe(2);
  expect(stderr).toContain('HOOK_ops is no name of a hook such as HOOK_OPS');
});

it('refuses all requests without TOKEN_SECRET, and says so', async () => {
  const server = await start(await temporaryFolder(), {});
  expect(server.output()).toContain('TOKEN_SECRET is not set: all requests are refused with 503\n');
  const response = await fetch(`${server.url}/acme/work/state?state=work`);
  expect(response.status).toBe(503);
  expect(await response.text()).toContain('problem:not-set-up"');
});

it.each([
  [['--port', '65536'], 2, '--port 65536 is not a port: 0 to 65535; --help lists the flags'],
  [['--port', 'http'], 2, '--port http is not a port: 0 to 65535; --help lists the flags'],
  [['--data'], 2, '--data needs a value; --help lists the flags'],
  [['--data='], 2, '--data is empty; --help lists the flags'],
  [['--dta=x'], 2, 'unknown flag --dta; --help lists the flags'],
  [['x'], 2, 'unknown argument x; --help lists the flags'],
  [['--charts', '/none'], 1, '--charts /none is not a folder'],
])('refuses %j', async (args, code, why) => {
  expect(await tryToStart(args)).toEqual({ code, stdout: '', stderr: `stateservice: ${why}\n` });
});

it('says what it takes, and its version', async () => {
  const { code, stdout } = await tryToStart(['--help']);
  expect(code).toBe(0);
  for (const flag of ['--charts DIR', '--data DIR', '--port N', '--host HOST'])
    expect(stdout).toContain(flag);
  const { version } = JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  expect(await tryToStart(['-V'])).toEqual({ code: 0, stdout: `stateservice ${version}\n`, stderr: '' });
});

it('does not start if a part of the file is missing', async () => {
  const part = join(await temporaryFolder(), 'part');
  await copyFile(binary, part);
  await truncate(part, 100_000);
  const { code, stderr } = await run(part, ['--charts', charts], { env: { PATH: '' } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^stateservice: .*part is not complete: it must have \d+ bytes\n$/);
});

it.skipIf(lacks('shellcheck'))('has a head that is plain POSIX to shellcheck', async () => {
  const head = join(PACKAGE_ROOT, 'src/cli/binary-head.sh');
  expect(await run('shellcheck', ['--shell=sh', head])).toEqual({ code: 0, stdout: '', stderr: '' });
});

it.skipIf(lacks('systemd-analyze'))('has a unit that systemd finds right, and hardened', async () => {
  const folder = await temporaryFolder();
  const unit = join(folder, 'stateservice.service');
  const text = await readFile(recipe('systemd/stateservice.service'), 'utf8');
  expect(text).toContain('\nExecStart=/usr/local/bin/stateservice --data /var/lib/stateservice --charts ');
  await writeFile(unit, text.replace('/usr/local/bin/stateservice', '/usr/bin/true'));
  const path = `${folder}:/lib/systemd/system:/usr/lib/systemd/system`;
  const verified = await run('systemd-analyze', ['verify', '--man=no', unit], {
    env: { SYSTEMD_UNIT_PATH: path },
  });
  expect(verified).toEqual({ code: 0, stdout: '', stderr: '' });
  // systemd.exec(5) has an exposure of 0 to 10; without any of these settings it is 9.6. The threshold is tenths.
  const judged = await run('systemd-analyze', ['security', '--offline=true', '--threshold=15', unit]);
  expect(judged.code).toBe(0);
});

function tryToStart(args: readonly string[]): Promise<Ran> {
  return run(binary, args, { env: { PATH: '' } });
}
