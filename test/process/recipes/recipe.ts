/** Shared by the tests of recipes: files, servers that ask for tokens, and tools that may be missing. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { folderOf } from '../charts.ts';
import { runCli, type Server, startServer, temporaryFolder, until } from '../server.ts';

const SECRET = 'a secret that has bytes enough for it';

/** @returns the path of a file in `docs/recipes`. */
export function recipe(path: string): string {
  return resolve(import.meta.dirname, '../../../docs/recipes', path);
}

/**
 * Whether a test is skipped because a tool is missing, for `skipIf` in a test whose title names the tool. Never true in the
 * gate, which installs all tools: there the test runs, and fails.
 */
export function lacks(tool: string): boolean {
  if (process.env.CI) return false;
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool]).status !== 0;
}

export interface Guarded extends Server {
  /** @returns a token for the machines of the tenant `acme`. */
  token(...can: string[]): Promise<string>;
  /** The same as curl reads it by `-H @FILE`: the path of a file with the whole header. */
  authorization(...can: string[]): Promise<string>;
  /** Sends a request with a token that has every right. */
  ask(method: string, path: string, body?: string): Promise<Response>;
  /** @returns the fields of a machine's status document that the tests read. */
  status(machine: string): Promise<Status>;
  /** Fulfilled as soon as a request waits at a machine. */
  isWaitedAt(machine: string): Promise<void>;
}

interface Status {
  readonly states: readonly string[];
  readonly quorums: readonly { readonly event: string; readonly by: readonly string[] }[];
  readonly claims: readonly { readonly holders: readonly { readonly by: string }[] }[];
}

/** Starts a server that asks for tokens. @param charts their files by path. */
export async function startGuarded(
  charts: Readonly<Record<string, string>>,
  options: {
    readonly data?: string;
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Guarded> {
  const env = { TOKEN_SECRET: SECRET, ...options.env };
  const server = await startServer({ charts: await folderOf(charts), ...options, env });
  const token = async (...can: string[]) => {
    const flags = ['--charts', 'acme/*', '--can', can.join(','), '--sub', 'tester'];
    const { code, stdout, stderr } = await runCli(['token', ...flags], env);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const all = await token('read', 'update', 'operate', 'admin');
  const ask = (method: string, path: string, body?: string) =>
    fetch(`${server.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${all}` },
      body: body ?? null,
    });
  return {
    ...server,
    token,
    async authorization(...can) {
      const file = join(await temporaryFolder(), 'authorization');
      await writeFile(file, `Authorization: Bearer ${await token(...can)}\n`);
      return file;
    },
    ask,
    async status(machine) {
      const response = await ask('GET', `/${machine}`);
      if (!response.ok) throw new Error(await response.text());
      const status: Status = await response.json();
      return status;
    },
    isWaitedAt: (machine) =>
      until(async () => {
        const metrics = await ask('GET', `/${machine}/metrics`);
        return /^stateservice_waiters\{.*\} [1-9]/m.test(await metrics.text());
      }, 20_000),
  };
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. A program that does not end is killed: its code is null. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 40_000,
      killSignal: 'SIGKILL',
      ...options,
      env: { ...process.env, ...options.env },
    });
    const printed = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      printed.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      printed.stderr += chunk;
    });
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...printed }));
  });
}
