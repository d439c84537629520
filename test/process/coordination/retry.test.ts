/**
 * `curl --retry` against a server that dies after it has counted a report and before it answers, and is started
 * again.
 */
import { execFile } from 'node:child_process';
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOf } from '../charts.ts';
import { cleanUp, type Server, startServer } from '../server.ts';

const run = promisify(execFile);

const CHART = `current_state: drain
states:
  - name: drain
    func: increment
    current: {key: machines, value: 0}
    target: {name: done, when: {key: machines, value: 9}}
  - name: done
`;

let proxy: NetServer;
let fragile: Fragile;
beforeAll(async () => {
  fragile = await startFragile();
});
afterAll(async () => {
  proxy.close();
  await cleanUp();
});

/** A server behind a proxy that can drop an answer. */
interface Fragile {
  readonly url: string;
  /** Drops the next answer: the server is killed when it comes, and started again. */
  breakAtNextAnswer(): void;
  /** How often the server was killed. */
  kills(): number;
}

async function startFragile(): Promise<Fragile> {
  const charts = await folderOf({ 'retry/fleet.yaml': CHART });
  let server: Server = await startServer({ charts });
  const port = Number(new URL(server.url).port);
  let breaking = false;
  let kills = 0;
  const kill = async () => {
    kills += 1;
    await server.kill9();
    server = await startServer({ charts, data: server.data, flags: ['--port', String(port)] });
  };
  proxy = createServer((client) => {
    const line = connect({ host: '127.0.0.1', port });
    const cut = () => {
      client.destroy();
      line.destroy();
    };
    for (const end of [client, line] as Socket[]) end.on('error', cut).on('close', cut);
    client.on('data', (chunk) => line.write(chunk));
    line.on('data', (chunk) => {
      if (!breaking) client.write(chunk);
      else {
        // It has answered, so it has committed.
        breaking = false;
        cut();
        void kill();
      }
    });
  });
  await new Promise<void>((done) => proxy.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    breakAtNextAnswer() {
      breaking = true;
    },
    kills: () => kills,
  };
}

/** @returns the output of curl: the body, and the status behind it. */
async function curl(...args: string[]): Promise<string> {
  const retry = ['--retry', '5', '--retry-all-errors', '--retry-connrefused', '--retry-delay', '1'];
  const { stdout } = await run('curl', ['-sS', ...retry, '-w', ' %{http_code}', ...args]);
  return stdout;
}

async function quorumOf(machine: string): Promise<object | undefined> {
  const response = await fetch(machine);
  const { quorums } = (await response.json()) as { quorums: object[] };
  return quorums[0];
}

describe('a report that is retried because its answer was lost', () => {
  it.each([
    ['once with a name', '&by=web-01', [], { have: 1, by: ['web-01'] }],
    ['once with an Idempotency-Key', '', ['-H', 'Idempotency-Key: 1'], { have: 1 }],
    ['twice without either: a known gap', '', [], { have: 2 }],
  ])('is counted %s', async (_, by, headers, quorum) => {
    const machine = newRun();
    const kills = fragile.kills();
    fragile.breakAtNextAnswer();
    expect(await curl('-X', 'PUT', ...headers, `${machine}/state?state=drain${by}`)).toBe('drain 200');
    expect(fragile.kills()).toBe(kills + 1);
    expect(await quorumOf(machine)).toMatchObject(quorum);
  });

  it('leaves the state once if it was the last one', async () => {
    const machine = newRun();
    for (let i = 1; i < 9; i++) await curl('-X', 'PUT', `${machine}/state?state=drain&by=web-0${i}`);
    fragile.breakAtNextAnswer();
    // The state is left by then, and the repeat is accepted all the same.
    expect(await curl('-X', 'PUT', `${machine}/state?state=drain&by=web-09`)).toBe('drain 200');
    expect(await curl(`${machine}/state?state=done`)).toBe('done 200');
  });
});

describe('a wait that is cut off by the end of the server', () => {
  it('is answered in the end, because curl repeats the request', async () => {
    const machine = newRun();
    const waiting = curl(`${machine}/state?state=done&wait=30s`);
    await new Promise((done) => setTimeout(done, 200));
    fragile.breakAtNextAnswer();
    for (let i = 1; i <= 9; i++) await curl('-X', 'PUT', `${machine}/state?state=drain&by=web-0${i}`);
    expect(await waiting).toBe('done 200');
  });
});

let runs = 0;

/** @returns the URL of a machine that no other test uses. */
function newRun(): string {
  runs += 1;
  return `${fragile.url}/retry/fleet@${runs}`;
}
