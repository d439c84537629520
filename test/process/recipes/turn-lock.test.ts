/** `turn.sh -c` as a lock: it renews its claim, ends its command if the slot is lost, and gives the slot back if it is ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, isAlive, temporaryFolder, until } from '../server.ts';
import { type Guarded, lacks, startGuarded } from './recipe.ts';
import { TURN } from './turns.ts';

/** The longest time that a busy machine may take for a step, ms. */
const LONG = 40_000;

/** Seconds. The turn renews at each third: a busy machine may take the other two. */
const LEASE = 9;

const CHARTS = {
  'acme/lock.yaml': `initial: work
states:
  work:
    slots: 1
    lease: ${LEASE}s
    on: { update: { target: done, quorum: 2 }, leave: done }
  done: { on: { back: work } }
`,
};

/** The shells, and how each is called. In busybox, commands that are applets run in the shell's own process. */
const SHELLS = [
  ['dash', ['dash']],
  ['bash', ['bash']],
  ['busybox', ['busybox', 'sh']],
] as const;

let server: Guarded;
let authorization: string;
beforeAll(async () => {
  server = await startGuarded(CHARTS);
  authorization = await server.authorization('read', 'update');
});
afterAll(() => {
  for (const { pid } of started) if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
});
afterAll(cleanUp);

const started = new Set<ChildProcess>();
let runs = 0;

/** A turn whose command has begun. */
interface Held {
  readonly machine: string;
  readonly turn: ChildProcess;
  readonly ended: Promise<number | null>;
  /** The command, and a child of it. */
  readonly pids: readonly number[];
  readonly token: number;
  stderr(): string;
  /** What the command has written besides. */
  log(): Promise<string>;
}

interface Options {
  readonly shell?: readonly string[];
  readonly machine?: string;
  readonly options?: readonly string[];
  /** A command that ignores TERM. */
  readonly isStubborn?: boolean;
  readonly url?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a turn, and waits until its command runs: a shell with a child, which work until they are ended. */
async function hold({
  shell = ['sh'],
  machine = newRun(),
  options = [],
  isStubborn = false,
  url = server.url,
  env = {},
}: Options = {}): Promise<Held> {
  const log = join(await temporaryFolder(), 'log');
  await writeFile(log, '');
  const onTerm = isStubborn ? "trap '' TERM" : `trap 'echo ended >>${log}; exit 1' TERM`;
  const work = `${onTerm}; sleep 600 & echo "$$ $! $TURN_REVISION" >>${log}; wait`;
  const [program = '', ...words] = [...shell, TURN, '-t', authorization, '-c', '-q', ...options];
  const turn = spawn(program, [...words, `${url}/${machine}`, 'work', 'sh', '-c', work], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  started.add(turn);
  let said = '';
  turn.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((done) => turn.once('close', done));
  await until(async () => turn.exitCode !== null || (await readFile(log, 'utf8')).includes('\n'), LONG);
  const [first = ''] = (await readFile(log, 'utf8')).split('\n');
  const [command = 0, child = 0, token = 0] = first.split(' ').map(Number);
  if (command === 0) throw new Error(`the command has not begun: ${turn.exitCode} ${said}`);
  // A shell that was just forked can lose a signal before it is the program.
  await until(async () => (await readFile(`/proc/${child}/comm`, 'utf8')) === 'sleep\n', LONG);
  return {
    machine,
    turn,
    ended,
    pids: [command, child],
    token,
    stderr: () => said,
    log: async () => (await readFile(log, 'utf8')).split('\n').slice(1).join('\n'),
  };
}

function newRun(): string {
  runs += 1;
  return `acme/lock@${runs}`;
}

async function holders(machine: string): Promise<string[]> {
  const { claims } = await server.status(machine);
  return claims.flatMap((claim) => claim.holders.map(({ by }) => by));
}

async function renewals(machine: string): Promise<number> {
  const response = await server.ask('GET', `/${machine}/history?limit=1000`);
  return (await response.text()).split('renewed').length - 1;
}

function areGone({ pids }: Held): boolean {
  return !pids.some(isAlive);
}

describe.concurrent.each(SHELLS)('a slot that is held by %s', (name, shell) => {
  const inShell = it.skipIf(lacks(name));

  inShell(
    'is renewed for longer than its lease, and is given back by TERM with the end of the command',
    async () => {
      const held = await hold({ shell, options: ['-b', 'a'] });
      // A lease without renewals would be over after the third.
      await until(async () => (await renewals(held.machine)) >= 4, LONG);
      expect(await holders(held.machine)).toEqual(['a']);
      expect(held.pids.map(isAlive)).toEqual([true, true]);
      held.turn.kill('SIGTERM');
      expect(await held.ended).toBe(143);
      expect(areGone(held)).toBe(true);
      expect(await held.log()).toBe('ended\n');
      expect(await holders(held.machine)).toEqual([]);
      expect(held.stderr()).toBe('');
    },
  );

  inShell('ends the command and its children with 79 if it is lost', async () => {
    const held = await hold({ shell, options: ['-b', 'a'] });
    expect((await server.ask('POST', `/${held.machine}/reset`)).status).toBe(204);
    expect(await held.ended).toBe(79);
    expect(areGone(held)).toBe(true);
    expect(await held.log()).toBe('ended\n');
    expect(held.stderr()).toContain('turn.sh: the slot is lost: "a" holds no slot of "work"');
    // It has taken no other.
    expect(await holders(held.machine)).toEqual([]);
  });
});

describe.concurrent('a slot is lost', () => {
  it.each([
    ['the state is left', (machine: string) => server.ask('PUT', `/${machine}/state?state=work&event=leave`)],
    ['the machine is deleted', (machine: string) => server.ask('DELETE', `/${machine}`)],
    [
      'another caller has it',
      async (machine: string) => {
        await server.ask('DELETE', `/${machine}/claims?state=work&by=a`);
        return server.ask('POST', `/${machine}/claims?state=work&by=b`);
      },
    ],
  ])('if %s', async (_, lose) => {
    const held = await hold({ options: ['-b', 'a'] });
    expect((await lose(held.machine)).ok).toBe(true);
    expect(await held.ended).toBe(79);
    expect(areGone(held)).toBe(true);
  });

  it('if its token is refused', async () => {
    const proxy = await startProxy();
    const held = await hold({ url: proxy.url });
    proxy.answers = 401;
    expect(await held.ended).toBe(79);
    expect(areGone(held)).toBe(true);
  });

  it('and a command that ignores TERM is killed after the grace', async () => {
    const held = await hold({ options: ['-k', '1'], isStubborn: true });
    await server.ask('POST', `/${held.machine}/reset`);
    expect(await held.ended).toBe(79);
    expect(areGone(held)).toBe(true);
  });
});

describe.concurrent('without an answer', () => {
  it('it asks again, and keeps the slot if an answer comes within the lease', async () => {
    const proxy = await startProxy();
    const held = await hold({ url: proxy.url });
    // The first renewals after this fail; how many depends on the machine.
    proxy.answers = 503;
    const seen = proxy.requests;
    await until(() => proxy.requests > seen, LONG);
    proxy.answers = undefined;
    const before = await renewals(held.machine);
    await until(async () => (await renewals(held.machine)) > before || held.turn.exitCode !== null, LONG);
    expect([held.turn.exitCode, held.stderr()]).toEqual([null, '']);
    held.turn.kill('SIGTERM');
    await held.ended;
  });

  it('it ends the command when the lease is over', async () => {
    const proxy = await startProxy();
    const held = await hold({ url: proxy.url });
    proxy.isCut = true;
    expect(await held.ended).toBe(79);
    expect(held.stderr()).toContain('the slot is lost: its lease is over, because there was no answer\n');
    expect(areGone(held)).toBe(true);
    await until(async () => (await holders(held.machine)).length === 0, LONG);
  });
});

describe.concurrent('a turn', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('gives the slot back after %s', async (signal, code) => {
    const held = await hold();
    held.turn.kill(signal);
    expect(await held.ended).toBe(code);
    expect(areGone(held)).toBe(true);
    expect(await holders(held.machine)).toEqual([]);
  });

  it('ends the command if it was killed itself', async () => {
    const held = await hold();
    held.turn.kill('SIGKILL');
    await until(() => areGone(held), LONG);
  });

  it('leaves no process behind after a command that ends by itself', async () => {
    const machine = newRun();
    const turn = spawn(TURN, ['-t', authorization, '-c', `${server.url}/${machine}`, 'work', 'sleep', '1'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.add(turn);
    // `close` waits for all that have its output open: the renewals would, too.
    const [code, seconds] = await new Promise<[number | null, number]>((done) => {
      const from = Date.now();
      turn.once('close', (code) => done([code, (Date.now() - from) / 1_000]));
    });
    expect(code).toBe(0);
    expect(seconds).toBeLessThan(LONG / 1_000);
    expect((await server.status(machine)).quorums).toMatchObject([{ have: 1 }]);
  });

  it('gives each command a greater fencing token, also after the machine was deleted', async () => {
    const machine = newRun();
    const tokens: number[] = [];
    const take = async () => {
      const held = await hold({ machine });
      tokens.push(held.token);
      return held;
    };
    const first = await take();
    first.turn.kill('SIGTERM');
    await first.ended;
    const second = await take();
    expect((await server.ask('DELETE', `/${machine}`)).status).toBe(204);
    expect(await second.ended).toBe(79);
    const third = await take();
    third.turn.kill('SIGTERM');
    await third.ended;
    const [one = 0, two = 0, three = 0] = tokens;
    expect(one).toBeGreaterThan(0);
    expect(two).toBeGreaterThan(one);
    expect(three).toBeGreaterThan(two);
  });

  it('reads the command’s stdin from its own', async () => {
    const machine = newRun();
    const turn = spawn(TURN, ['-t', authorization, '-c', `${server.url}/${machine}`, 'work', 'cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    started.add(turn);
    let said = '';
    turn.stdout.on('data', (chunk) => {
      said += chunk;
    });
    turn.stdin.end('input\n');
    expect(await new Promise((done) => turn.once('close', done))).toBe(0);
    expect(said).toBe('input\n');
  });

  it('needs no option of curl that is newer than 7.55', async () => {
    // curl.1 of 7.55.0 has these, and so has every curl that came with macOS since 10.14 (7.54 has all but `-H @FILE`).
    const known = '-s|-S|-sS|-G|-X|-H|-D|-o|--data-urlencode|--connect-timeout|--max-time';
    const folder = await temporaryFolder();
    const check = `#!/bin/sh\nfor word; do case $word in ${known}) ;; -*) echo "option $word" >&2; exit 2 ;; esac; done\nPATH=${process.env.PATH} exec curl "$@"\n`;
    await writeFile(join(folder, 'curl'), check, { mode: 0o755 });
    const held = await hold({ env: { PATH: `${folder}:${process.env.PATH}` } });
    await until(async () => (await renewals(held.machine)) >= 1, LONG);
    held.turn.kill('SIGTERM');
    expect(await held.ended).toBe(143);
    expect(held.stderr()).toBe('');
  });
});

interface Proxy {
  readonly url: string;
  requests: number;
  /** Answers so, and passes nothing on. */
  answers: number | undefined;
  /** Ends connections without an answer. */
  isCut: boolean;
}

const proxies = new Set<HttpServer>();
afterAll(() => {
  for (const proxy of proxies) proxy.close();
});

/** Starts a proxy in front of the server, which passes requests on until it is told otherwise. */
async function startProxy(): Promise<Proxy> {
  const listener = createServer((incoming, response) => {
    proxy.requests += 1;
    if (proxy.isCut) return void incoming.socket.destroy();
    if (proxy.answers !== undefined) return void response.writeHead(proxy.answers).end();
    const { method, headers, url = '' } = incoming;
    const outgoing = request(server.url + url, { method: method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.once('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  proxies.add(listener);
  await new Promise<void>((done) => listener.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  const proxy: Proxy = {
    url: `http://127.0.0.1:${address.port}`,
    requests: 0,
    answers: undefined,
    isCut: false,
  };
  return proxy;
}
