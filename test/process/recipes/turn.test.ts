/** Runs `turn.sh` with the shells of this machine, against a server that asks for tokens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf } from '../docs/page.ts';
import { BLOCKS } from '../docs/pages.ts';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Guarded, lacks, type Ran, recipe, run, startGuarded } from './recipe.ts';

const TURN = recipe('turn.sh');

const CHARTS = {
  'acme/turns.yaml': `initial: before
states:
  before: { on: { update: during, skip: after } }
  during:
    on:
      update: { target: after, quorum: 2 }
      fail: failed
  after: { type: final }
  failed: { type: final }
`,
  // Closed now, and for hours.
  'acme/closed.yaml': `initial: during
states:
  during:
    window: { cron: "0 ${(new Date().getUTCHours() + 12) % 24} * * *", for: 1h }
    on: { update: after }
  after: { type: final }
`,
  'acme/rounds.yaml': `initial: during
states:
  during: { on: { update: between } }
  between: { on: { update: during } }
`,
  'acme/zones.yaml': `initial: during
states:
  during:
    only: member.zone == "eu"
    on: { update: { target: after, quorum: all } }
  after: { type: final }
`,
  'acme/slots.yaml': `initial: before
states:
  before: { on: { update: during } }
  during:
    slots: 1
    on: { update: { target: after, quorum: 3 } }
  after: { type: final }
`,
};

let server: Guarded;
let authorization: string;
beforeAll(async () => {
  server = await startGuarded(CHARTS);
  authorization = await server.authorization('read', 'update');
});
afterAll(cleanUp);

let runs = 0;

/** @returns the address of a machine that no other test uses. */
function newRun(chart = 'turns'): string {
  runs += 1;
  return `acme/${chart}@${runs}`;
}

async function turn(machine: string, state: string, options: string[], ...command: string[]): Promise<Ran> {
  return run(TURN, [
    '-t',
    authorization,
    '-r',
    '1',
    ...options,
    `${server.url}/${machine}`,
    state,
    ...command,
  ]);
}

async function send(machine: string, state: string, event = 'update'): Promise<void> {
  const { status } = await server.ask('PUT', `/${machine}/state?state=${state}&event=${event}`);
  expect(status).toBe(200);
}

describe('a turn', () => {
  for (const shell of ['dash', 'bash']) {
    it.skipIf(lacks(shell))(`is waited for, taken and reported in the host's name, by ${shell}`, async () => {
      const machine = newRun();
      const file = join(await temporaryFolder(), 'done');
      const work = ['sh', '-c', 'echo "$1" > "$2"', 'sh', 'a  b *', file];
      const ended = run(shell, [TURN, '-t', authorization, `${server.url}/${machine}`, 'during', ...work]);
      await server.isWaitedAt(machine);
      const { stdout: processes } = await run('ps', ['-A', '-ww', '-o', 'args']);
      await send(machine, 'before');

      const { code, stdout, stderr } = await ended;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toBe('turn.sh: waiting: "during" is not current yet; current: "before".\n');
      expect(await readFile(file, 'utf8')).toBe('a  b *\n');
      const { states, quorums } = await server.status(machine);
      expect(states).toEqual(['during']);
      expect(quorums).toMatchObject([{ event: 'update', by: [hostname()] }]);
      // The list of processes shows the file of the token, but not the token.
      expect(processes).toContain(`@${authorization}`);
      expect(processes).not.toContain((await readFile(authorization, 'utf8')).split(' ')[2]?.trim());
    });
  }

  it('is only waited for without a command', async () => {
    const machine = newRun();
    await send(machine, 'before');
    expect(await turn(machine, 'during', [])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await server.status(machine)).quorums).toMatchObject([{ by: [] }]);
  });

  it('is reported with the given name and event', async () => {
    const machine = newRun();
    await turn(machine, 'before', ['-b', 'web 01', '-e', 'skip'], 'true');
    expect((await server.status(machine)).states).toEqual(['after']);
    const history = await server.ask('GET', `/${machine}/history?limit=1`);
    expect(await history.text()).toContain('"by": "web 01"');
  });

  it('counts twice for two names', async () => {
    const machine = newRun();
    await send(machine, 'before');
    for (const name of ['web-01', 'web-02'])
      expect(await turn(machine, 'during', ['-b', name], 'true')).toMatchObject({ code: 0 });
    expect((await server.status(machine)).states).toEqual(['after']);
  });

  it('is waited for across a crash of the server', async () => {
    const fragile = await startGuarded(CHARTS);
    const file = await fragile.authorization('read', 'update');
    const ended = run(TURN, ['-t', file, `${fragile.url}/acme/turns`, 'during', 'true']);
    await fragile.isWaitedAt('acme/turns');
    await fragile.kill9();
    const again = await startGuarded(CHARTS, {
      data: fragile.data,
      flags: ['--port', new URL(fragile.url).port],
    });
    await again.ask('PUT', '/acme/turns/state?state=before');
    expect(await ended).toMatchObject({ code: 0 });
    expect((await again.status('acme/turns')).quorums).toMatchObject([{ by: [hostname()] }]);
  });
});

describe('a caller that has nothing to do', () => {
  const DONE = 'turn.sh: nothing to do: "web-01" has reported in this visit of "during": its part is done.\n';

  it('has run its command already in this visit: started again, it succeeds without the command', async () => {
    const machine = newRun();
    await send(machine, 'before');
    const again = () => turn(machine, 'during', ['-b', 'web-01'], 'echo', 'ran');
    expect(await again()).toEqual({ code: 0, stdout: 'ran\n', stderr: '' });
    for (const _ of [2, 3]) expect(await again()).toEqual({ code: 0, stdout: '', stderr: DONE });
    expect((await server.status(machine)).quorums).toMatchObject([{ by: ['web-01'] }]);
  });

  it('exits with 77 where it only asks', async () => {
    const machine = newRun();
    await send(machine, 'before');
    await turn(machine, 'during', ['-b', 'web-01'], 'true');
    expect(await turn(machine, 'during', ['-p', '0', '-b', 'web-01'])).toEqual({
      code: 77,
      stdout: '',
      stderr: DONE,
    });
    expect(await turn(machine, 'during', ['-p', '0', '-b', 'web-02'])).toMatchObject({ code: 0 });
  });

  it('prints nothing with -q', async () => {
    const machine = newRun();
    await send(machine, 'before');
    await turn(machine, 'during', ['-b', 'web-01'], 'true');
    const again = turn(machine, 'during', ['-q', '-b', 'web-01'], 'echo', 'ran');
    expect(await again).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('claims no slot', async () => {
    const machine = newRun('slots');
    await send(machine, 'before');
    const again = () => turn(machine, 'during', ['-c', '-b', 'web-01'], 'echo', 'ran');
    expect(await again()).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect(await again()).toEqual({ code: 0, stdout: '', stderr: DONE });
    expect((await server.status(machine)).claims).toMatchObject([{ holders: [] }]);
  });

  it('runs its command again in the next visit', async () => {
    const machine = newRun('rounds');
    const during = () => turn(machine, 'during', ['-b', 'web-01'], 'echo', 'ran');
    expect(await during()).toMatchObject({ stdout: 'ran\n' });
    await send(machine, 'between');
    expect(await during()).toMatchObject({ stdout: 'ran\n' });
  });

  it('is a member that the state is not for; others are strangers, 76', async () => {
    const machine = newRun('zones');
    const members = 'web-01 zone=us\nweb-02 zone=eu\n';
    expect((await server.ask('PUT', `/${machine}/members`, members)).status).toBe(200);
    const as = (name: string) => turn(machine, 'during', ['-b', name], 'echo', 'ran');
    const notFor = '"during" is not for "web-01", as its `only` says.';
    expect(await as('web-01')).toEqual({
      code: 0,
      stdout: '',
      stderr: `turn.sh: nothing to do: ${notFor}\n`,
    });
    const stranger = '"web-03" is not a member of this machine. Did you mean "web-01"?';
    expect(await as('web-03')).toEqual({ code: 76, stdout: '', stderr: `turn.sh: never: ${stranger}\n` });
    expect(await as('web-02')).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect((await server.status(machine)).states).toEqual(['after']);
  });
});

it('prints nothing during the wait with -q', async () => {
  const machine = newRun();
  const ended = turn(machine, 'during', ['-q']);
  await server.isWaitedAt(machine);
  await send(machine, 'before');
  expect(await ended).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('a token that may not report', () => {
  it('is reported before the command runs, and before the turn has come', async () => {
    const reader = await server.authorization('read');
    for (const state of ['before', 'during']) {
      const machine = newRun();
      const { code, stdout, stderr } = await turn(machine, state, ['-t', reader], 'echo', 'ran');
      expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
      expect(stderr).toContain('turn.sh: error: This needs the right to update at');
    }
  });

  it('is enough to wait', async () => {
    const reader = await server.authorization('read');
    expect(await turn(newRun(), 'before', ['-t', reader])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

it.each(['-h', '--help'])('prints its usage for %s', async (option) => {
  const { code, stdout, stderr } = await run(TURN, [option]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Waits for this machine's turn .*\n\n {2}turn\.sh \[OPTION\.\.\.\] URL STATE/);
  expect(stdout).toMatch(/\n\ncurl 7\.71 or newer .*\n$/);
  for (const flag of 'bcefhpqrt') expect(stdout).toContain(`\n  -${flag} `);
});

describe('the loops of the README', () => {
  const block = BLOCKS.find(({ page, text }) => page === 'README.md' && text.includes('while answer='));

  /** Runs one as it stands there, but for the address, the state and the token. @param call the function that it calls */
  async function runLoop(machine: string, state: string, call = 'turn'): Promise<Ran> {
    const commands = block === undefined ? [] : commandsOf(block);
    const loop = commands.filter(({ text }) => text.startsWith(`${call}()`) || text.includes(`$(${call})`));
    expect(loop).toHaveLength(2);
    const text = loop.map(({ text }) => text).join('\n');
    const own = text
      .replace(/acme\/\w+/, machine)
      .replace(/state=\w+/, `state=${state}`)
      .replace('sleep 10', 'sleep 1')
      .replace('curl ', `curl -H @${authorization} `);
    return run('bash', ['-c', own], { env: { HOST: server.url } });
  }

  it('waits until the state is current', async () => {
    const machine = newRun();
    const ended = runLoop(machine, 'during');
    await server.isWaitedAt(machine);
    await send(machine, 'before');
    expect(await ended).toMatchObject({ code: 0 });
  });

  it('fails if the state cannot become current any more, or if there is no chart', async () => {
    const machine = newRun();
    await send(machine, 'before', 'skip');
    expect(await runLoop(machine, 'during')).toMatchObject({ code: 1 });
    for (const call of ['turn', 'slot'])
      expect(await runLoop('acme/nothing', 'during', call)).toMatchObject({ code: 1 });
  });

  it('claims a slot as soon as one is free', async () => {
    const machine = newRun('slots');
    await send(machine, 'before');
    await server.ask('POST', `/${machine}/claims?state=during&by=web-01`);
    const ended = runLoop(machine, 'during', 'slot');
    await new Promise((done) => setTimeout(done, 500));
    await server.ask('DELETE', `/${machine}/claims?state=during&by=web-01`);
    expect(await ended).toMatchObject({ code: 0 });
  });
});

describe('no turn', () => {
  it('stops at once with 76 if the state cannot become current any more', async () => {
    const machine = newRun();
    await send(machine, 'before', 'skip');
    const { code, stdout, stderr } = await turn(machine, 'during', [], 'echo', 'ran');
    expect({ code, stdout }).toEqual({ code: 76, stdout: '' });
    expect(stderr).toBe(
      'turn.sh: never: "during" is not current and cannot come any more; current: "after".\n',
    );
  });

  it('stops with 76 during the wait, as soon as the state cannot become current any more', async () => {
    const machine = newRun();
    const ended = turn(machine, 'during', [], 'true');
    await server.isWaitedAt(machine);
    await send(machine, 'before', 'skip');
    expect(await ended).toMatchObject({ code: 76 });
  });

  it.each(['0', '2'])('is "not yet", 75, after a patience of %s seconds', async (patience) => {
    const from = Date.now();
    const { code, stdout, stderr } = await turn(newRun(), 'during', ['-p', patience], 'echo', 'ran');
    expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
    expect(stderr).toMatch(/^turn\.sh: not yet: "during" is not current yet; current: "before"\./m);
    expect(Date.now() - from).toBeGreaterThanOrEqual(Number(patience) * 1_000 - 1_000);
  });

  it.each([
    ['an address without a chart', 'acme/nothing', 'No chart has been put at acme/nothing.'],
    ['a token that is not for the machine', 'other/turns', 'This needs the right to update at other/turns'],
  ])('is an error, 69, at %s', async (_, machine, why) => {
    const { code, stdout, stderr } = await turn(machine, 'during', [], 'echo', 'ran');
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toContain(`turn.sh: error: ${why}`);
  });

  it('is an error, 69, without an answer', async () => {
    // No server listens on port 1 of this host.
    const { code, stderr } = await run(TURN, ['-r', '0', 'http://127.0.0.1:1/acme/turns', 'during', 'true']);
    expect(code).toBe(69);
    expect(stderr).toContain('turn.sh: error: there was no answer\n');
  });

  it.each([
    ['no state', ['http://127.0.0.1:1'], 'URL and STATE are missing'],
    ['an unknown option', ['-x', 'http://127.0.0.1:1', 'a'], 'unknown option'],
    ['a patience that is not a number', ['-p', 'long', 'http://127.0.0.1:1', 'a'], '-p long is not a number'],
    ['a token file that does not exist', ['-t', '/none', 'http://127.0.0.1:1', 'a'], 'cannot read /none'],
  ])('is a wrong use, 64, with %s', async (_, args, why) => {
    const { code, stderr } = await run(TURN, args);
    expect(code).toBe(64);
    expect(stderr).toContain(why);
  });

  it('is decided by the last answer, after an error with a Retry-After', async () => {
    const answers = [503, 406];
    const proxy = createServer((_, response) => {
      const status = answers.shift() ?? 500;
      response.writeHead(status, status === 503 ? { 'Retry-After': '1' } : {}).end();
    });
    try {
      const url = `http://127.0.0.1:${await listen(proxy)}/acme/turns`;
      expect(await run(TURN, ['-p', '0', url, 'during'])).toMatchObject({ code: 76 });
    } finally {
      proxy.close();
    }
  });
});

describe('a closed window', () => {
  it('is "not yet", 75, and says when it opens', async () => {
    const from = Date.now();
    const { code, stdout, stderr } = await turn(newRun('closed'), 'during', ['-p', '2'], 'echo', 'ran');
    expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
    expect(stderr).toMatch(/^turn\.sh: not yet: "during" is closed: work may be begun from .*Z\.$/m);
    expect(Date.now() - from).toBeGreaterThanOrEqual(1_000);
  });

  it('is waited for without a request, which a signal ends at once', async () => {
    const machine = newRun('closed');
    const waiting = spawn(TURN, ['-t', authorization, `${server.url}/${machine}`, 'during', 'true'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(waiting.stderr, 'data');
    await new Promise((done) => setTimeout(done, 300));
    const from = Date.now();
    waiting.kill('SIGTERM');
    expect(await once(waiting, 'exit')).toEqual([143, null]);
    expect(Date.now() - from).toBeLessThan(5_000);
  });
});

describe('a command that fails', () => {
  it('passes its exit code on, and nothing is reported', async () => {
    const machine = newRun();
    await send(machine, 'before');
    expect(await turn(machine, 'during', [], 'sh', '-c', 'exit 3')).toMatchObject({ code: 3, stderr: '' });
    expect((await server.status(machine)).states).toEqual(['during']);
  });

  it('is reported with the event of -f', async () => {
    const machine = newRun();
    await send(machine, 'before');
    expect(await turn(machine, 'during', ['-f', 'fail'], 'sh', '-c', 'exit 3')).toMatchObject({ code: 3 });
    expect((await server.status(machine)).states).toEqual(['failed']);
  });
});

it('exits with 74 if the command succeeded and its report was refused', async () => {
  const machine = newRun();
  await send(machine, 'before');
  // Another machine fails in the meantime.
  const fail = [
    '-H',
    `@${authorization}`,
    '-X',
    'PUT',
    `${server.url}/${machine}/state?state=during&event=fail`,
  ];
  const { code, stderr } = await turn(machine, 'during', [], 'curl', '-sSf', '-o', '/dev/null', ...fail);
  expect(code).toBe(74);
  expect(stderr).toContain(
    'turn.sh: the command succeeded, but its report was refused: "during" is not current',
  );
});

describe('a slot', () => {
  it('is claimed first, so one of three machines works at a time', async () => {
    const machine = newRun('slots');
    await send(machine, 'before');
    const folder = await temporaryFolder();
    // `mkdir` fails if the folder exists: then another machine works at the same time.
    const work = ['sh', '-c', 'mkdir "$1" && sleep 0.3 && rmdir "$1"', 'sh', join(folder, 'working')];
    const ended = ['web-01', 'web-02', 'web-03'].map((name) =>
      turn(machine, 'during', ['-c', '-b', name], ...work),
    );
    for (const { code } of await Promise.all(ended)) expect(code).toBe(0);
    expect((await server.status(machine)).states).toEqual(['after']);
  });

  it('is freed if the command fails', async () => {
    const machine = newRun('slots');
    await send(machine, 'before');
    expect(await turn(machine, 'during', ['-c'], 'false')).toMatchObject({ code: 1, stderr: '' });
    expect((await server.status(machine)).claims).toMatchObject([{ holders: [] }]);
  });
});

it.skipIf(lacks('shellcheck'))('is plain POSIX to shellcheck', async () => {
  expect(await run('shellcheck', ['--shell=sh', TURN])).toEqual({ code: 0, stdout: '', stderr: '' });
});

async function listen(proxy: HttpServer): Promise<number> {
  await new Promise<void>((done) => proxy.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return address.port;
}
