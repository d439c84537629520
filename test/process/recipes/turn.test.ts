/** Runs `turn.sh` with the shells of this machine, against a server that asks for tokens. */
import { readFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsOf } from '../docs/page.ts';
import { BLOCKS } from '../docs/pages.ts';
import { cleanUp, temporaryFolder } from '../server.ts';
import { lacks, type Ran, run, startGuarded } from './recipe.ts';
import { CHARTS, startTurns, TURN, type Turns } from './turns.ts';

let turns: Turns;
beforeAll(async () => {
  turns = await startTurns();
});
afterAll(cleanUp);

describe('a turn', () => {
  for (const shell of ['dash', 'bash']) {
    it.skipIf(lacks(shell))(`is waited for, taken and reported in the host's name, by ${shell}`, async () => {
      const machine = turns.newRun();
      const file = join(await temporaryFolder(), 'done');
      const work = ['sh', '-c', 'echo "$1" > "$2"', 'sh', 'a  b *', file];
      const ended = run(shell, [
        TURN,
        '-t',
        turns.authorization,
        `${turns.server.url}/${machine}`,
        'during',
        ...work,
      ]);
      await turns.server.isWaitedAt(machine);
      const { stdout: processes } = await run('ps', ['-A', '-ww', '-o', 'args']);
      await turns.send(machine, 'before');

      const { code, stdout, stderr } = await ended;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toBe('turn.sh: waiting: "during" is not current yet; current: "before".\n');
      expect(await readFile(file, 'utf8')).toBe('a  b *\n');
      const { states, quorums } = await turns.server.status(machine);
      expect(states).toEqual(['during']);
      expect(quorums).toMatchObject([{ event: 'update', by: [hostname()] }]);
      // The list of processes shows the file of the token, but not the token.
      expect(processes).toContain(`@${turns.authorization}`);
      expect(processes).not.toContain((await readFile(turns.authorization, 'utf8')).split(' ')[2]?.trim());
    });
  }

  it('is only waited for without a command', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before');
    expect(await turns.turn(machine, 'during', [])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await turns.server.status(machine)).quorums).toMatchObject([{ by: [] }]);
  });

  it('is reported with the given name and event', async () => {
    const machine = turns.newRun();
    await turns.turn(machine, 'before', ['-b', 'web 01', '-e', 'skip'], 'true');
    expect((await turns.server.status(machine)).states).toEqual(['after']);
    const history = await turns.server.ask('GET', `/${machine}/history?limit=1`);
    expect(await history.text()).toContain('"by": "web 01"');
  });

  it('counts twice for two names', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before');
    for (const name of ['web-01', 'web-02'])
      expect(await turns.turn(machine, 'during', ['-b', name], 'true')).toMatchObject({ code: 0 });
    expect((await turns.server.status(machine)).states).toEqual(['after']);
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

it('prints nothing during the wait with -q', async () => {
  const machine = turns.newRun();
  const ended = turns.turn(machine, 'during', ['-q']);
  await turns.server.isWaitedAt(machine);
  await turns.send(machine, 'before');
  expect(await ended).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('a token that may not report', () => {
  it('is reported before the command runs, and before the turn has come', async () => {
    const reader = await turns.server.authorization('read');
    for (const state of ['before', 'during']) {
      const machine = turns.newRun();
      const { code, stdout, stderr } = await turns.turn(machine, state, ['-t', reader], 'echo', 'ran');
      expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
      expect(stderr).toContain('turn.sh: error: This needs the right to update at');
    }
  });

  it('is enough to wait', async () => {
    const reader = await turns.server.authorization('read');
    expect(await turns.turn(turns.newRun(), 'before', ['-t', reader])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});

it.each(['-h', '--help'])('prints its usage for %s', async (option) => {
  const { code, stdout, stderr } = await run(TURN, [option]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Waits for this machine's turn .*\n\n {2}turn\.sh \[OPTION\.\.\.\] URL STATE/);
  expect(stdout).toMatch(/\n\nIt needs a POSIX shell and curl 7\.55 or newer\.\n$/);
  for (const flag of 'bcefhkpqrt') expect(stdout).toContain(`\n  -${flag} `);
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
      .replace('curl ', `curl -H @${turns.authorization} `);
    return run('bash', ['-c', own], { env: { HOST: turns.server.url } });
  }

  it('waits until the state is current', async () => {
    const machine = turns.newRun();
    const ended = runLoop(machine, 'during');
    await turns.server.isWaitedAt(machine);
    await turns.send(machine, 'before');
    expect(await ended).toMatchObject({ code: 0 });
  });

  it('fails if the state cannot become current any more, or if there is no chart', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before', 'skip');
    expect(await runLoop(machine, 'during')).toMatchObject({ code: 1 });
    for (const call of ['turn', 'slot'])
      expect(await runLoop('acme/nothing', 'during', call)).toMatchObject({ code: 1 });
  });

  it('claims a slot as soon as one is free', async () => {
    const machine = turns.newRun('slots');
    await turns.send(machine, 'before');
    await turns.server.ask('POST', `/${machine}/claims?state=during&by=web-01`);
    const ended = runLoop(machine, 'during', 'slot');
    await new Promise((done) => setTimeout(done, 500));
    await turns.server.ask('DELETE', `/${machine}/claims?state=during&by=web-01`);
    expect(await ended).toMatchObject({ code: 0 });
  });
});

describe('no turn', () => {
  it('stops at once with 76 if the state cannot become current any more', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before', 'skip');
    const { code, stdout, stderr } = await turns.turn(machine, 'during', [], 'echo', 'ran');
    expect({ code, stdout }).toEqual({ code: 76, stdout: '' });
    expect(stderr).toBe(
      'turn.sh: never: "during" is not current and cannot come any more; current: "after".\n',
    );
  });

  it('stops with 76 during the wait, as soon as the state cannot become current any more', async () => {
    const machine = turns.newRun();
    const ended = turns.turn(machine, 'during', [], 'true');
    await turns.server.isWaitedAt(machine);
    await turns.send(machine, 'before', 'skip');
    expect(await ended).toMatchObject({ code: 76 });
  });

  it.each(['0', '2'])('is "not yet", 75, after a patience of %s seconds', async (patience) => {
    const from = Date.now();
    const { code, stdout, stderr } = await turns.turn(
      turns.newRun(),
      'during',
      ['-p', patience],
      'echo',
      'ran',
    );
    expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
    expect(stderr).toMatch(/^turn\.sh: not yet: "during" is not current yet; current: "before"\./m);
    expect(Date.now() - from).toBeGreaterThanOrEqual(Number(patience) * 1_000 - 1_000);
  });

  it.each([
    ['an address without a chart', 'acme/nothing', 'No chart has been put at acme/nothing.'],
    ['a token that is not for the machine', 'other/turns', 'This needs the right to update at other/turns'],
  ])('is an error, 69, at %s', async (_, machine, why) => {
    const { code, stdout, stderr } = await turns.turn(machine, 'during', [], 'echo', 'ran');
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toContain(`turn.sh: error: ${why}`);
  });

  it('is an error, 69, without an answer', async () => {
    // No server listens on port 1 of this host.
    const { code, stderr } = await run(TURN, ['-r', '0', 'http://127.0.0.1:1/acme/turns', 'during', 'true']);
    expect(code).toBe(69);
    expect(stderr).toContain('turn.sh: error: there was no answer\n');
  });

  it('says at once that there was no answer: it asked for four minutes and said nothing', async () => {
    const { stderr } = await run(TURN, ['-r', '1', 'http://127.0.0.1:1/acme/turns', 'during', 'true']);
    expect(stderr).toMatch(/^curl: .*\nturn\.sh: waiting: there was no answer\n/);
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

describe('a command that fails', () => {
  it('passes its exit code on, and nothing is reported', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before');
    expect(await turns.turn(machine, 'during', [], 'sh', '-c', 'exit 3')).toMatchObject({
      code: 3,
      stderr: '',
    });
    expect((await turns.server.status(machine)).states).toEqual(['during']);
  });

  it('is reported with the event of -f', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before');
    expect(await turns.turn(machine, 'during', ['-f', 'fail'], 'sh', '-c', 'exit 3')).toMatchObject({
      code: 3,
    });
    expect((await turns.server.status(machine)).states).toEqual(['failed']);
  });
});

it('exits with 74 if the command succeeded and its report was refused', async () => {
  const machine = turns.newRun();
  await turns.send(machine, 'before');
  // Another machine fails in the meantime.
  const fail = [
    '-H',
    `@${turns.authorization}`,
    '-X',
    'PUT',
    `${turns.server.url}/${machine}/state?state=during&event=fail`,
  ];
  const { code, stderr } = await turns.turn(
    machine,
    'during',
    [],
    'curl',
    '-sSf',
    '-o',
    '/dev/null',
    ...fail,
  );
  expect(code).toBe(74);
  expect(stderr).toContain(
    'turn.sh: the command succeeded, but its report was refused: "during" is not current',
  );
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
