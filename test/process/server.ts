/** Starts servers as users do, by `serve`, each a process on a free port of 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const CLI = resolve(import.meta.dirname, '../../src/cli.ts');
/** Commands that call esbuild, which the bundled command line does not have. */
const CALL_ESBUILD: ReadonlySet<string> = new Set(['binary', 'deploy']);
const START_TIMEOUT = 30_000;
/** Of a command; `deploy` runs wrangler, which takes half a minute on a busy machine. */
const COMMAND_TIMEOUT = 110_000;

export interface ServerOptions {
  /** The file of the `default` chart. */
  chart?: string;
  /** The folder of charts; by default an empty one. */
  charts?: string;
  /** Where the machines are stored; by default a new folder. */
  data?: string;
  /** Further flags. */
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Whether the source runs, and esbuild bundles the Worker, as for users, though both were bundled before (`bundled.ts`). */
  bundles?: boolean;
  /** The limit of open descriptors of each of its processes. */
  descriptors?: number;
  /** Words in front of the command, which must leave it its pid: `strace -D …`. */
  under?: readonly string[];
}

/** The end of the command line's process. */
interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** From the call that ended it, in ms. */
  took: number;
}

export interface Server {
  /** Without a slash at the end. */
  readonly url: string;
  /** Of the command line. */
  readonly pid: number;
  /** Of the process that answered first. */
  readonly workerdPid: number;
  /** Starts another server in place of this one. */
  readonly data: string;
  /** The output so far, stdout and stderr. */
  output(): string;
  /** Signals the command line, as a terminal or a supervisor does. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** Kills all processes of the server, as a crash of the host does: nothing is finished, nothing is closed. */
  kill9(): Promise<Exit>;
  /** Kills workerd alone. */
  killWorkerd(): void;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
const listening = new Set<NetServer>();

/** Starts a server; resolves when it answers. @throws with its output if it ends first. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const data = options.data ?? (await temporaryFolder());
  const charts = options.charts ?? (await temporaryFolder());
  const chart = options.chart === undefined ? [] : ['--chart', options.chart];
  const flags = ['--port', '0', '--charts', charts, '--data', data, ...chart, ...(options.flags ?? [])];
  const { child, output, ended } = launch(['serve', ...flags], options);

  const deadline = Date.now() + START_TIMEOUT;
  let url: string | undefined;
  while (url === undefined) {
    const exit = await Promise.race([ended, pause(10)]);
    if (exit !== undefined) throw new Error(`the server ended before it listened:\n${output()}`);
    if (Date.now() > deadline) throw new Error(`the server does not listen:\n${output()}`);
    url = /listens on (http:\/\/\S+)\n/.exec(output())?.[1];
  }
  const pid = pidOf(child);
  const workerdPid = workerdOf(pid);
  const end = async (kill: () => void): Promise<Exit> => {
    const from = performance.now();
    kill();
    return { ...(await ended), took: performance.now() - from };
  };
  return {
    url,
    pid,
    workerdPid,
    data,
    output,
    stop: (signal = 'SIGTERM') => end(() => child.kill(signal)),
    kill9: () =>
      end(() => {
        // The command line first: it would start workerd again.
        child.kill('SIGKILL');
        process.kill(workerdPid, 'SIGKILL');
      }),
    killWorkerd: () => process.kill(workerdOf(pid), 'SIGKILL'),
  };
}

/** Runs a command to its end. A command that does not end, such as a server, is killed: its code is null. */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, ended, stdout, stderr } = launch(args, { env, input });
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT);
  const { code } = await ended;
  clearTimeout(timer);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** A new folder, removed by `cleanUp`. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stateservice-test-'));
  folders.add(folder);
  return folder;
}

/** For `afterEach`: stops what still runs, by its own pid, removes the folders and frees the ports. */
export async function cleanUp(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const gone = new Promise((done) => child.once('close', done));
      child.kill('SIGTERM');
      const isLate = await Promise.race([gone.then(() => false), pause(5_000).then(() => true)]);
      if (isLate) child.kill('SIGKILL');
    }),
  );
  await Promise.all([...folders].map((folder) => rm(folder, { recursive: true, force: true })));
  folders.clear();
  for (const server of listening) server.close();
  listening.clear();
}

/** @returns a port that this process listens on until `cleanUp`. */
export async function takenPort(): Promise<number> {
  const server = createServer();
  listening.add(server);
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return address.port;
}

/** @returns whether a process runs. A zombie, not yet reaped by a slow init, does not. */
export function isAlive(pid: number): boolean {
  return ![undefined, 'Z', 'X'].includes(statOf(pid)?.state);
}

/** Waits until `condition` holds. @throws after `timeout` ms. */
export async function until(condition: () => boolean | Promise<boolean>, timeout = 5_000): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not so after ${timeout} ms: ${condition}`);
    await pause(10);
  }
}

interface LaunchOptions extends Pick<ServerOptions, 'env' | 'bundles' | 'descriptors' | 'under'> {
  /** The content of stdin; none if undefined. */
  input?: string | undefined;
}

function launch(args: readonly string[], { env, bundles, descriptors, under, input }: LaunchOptions) {
  const isOfSource = bundles === true || CALL_ESBUILD.has(args[0] ?? '');
  const script = isOfSource ? CLI : (process.env.BUNDLED_CLI ?? CLI);
  const limited = ['/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`];
  const [program = '', ...words] = [
    ...(descriptors ? limited : []),
    ...(under ?? []),
    process.execPath,
    script,
    ...args,
  ];
  const child = spawn(program, words, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  running.add(child);
  child.stdin?.end(input);
  const stdout: Buffer[] = [];
  const all: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => all.push(chunk) && stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => all.push(chunk) && stderr.push(chunk));
  const ended = new Promise<Omit<Exit, 'took'>>((done) => {
    // Not `exit`: the last output could be missing.
    child.once('close', (code, signal) => {
      running.delete(child);
      done({ code, signal });
    });
  });
  const text = (chunks: Buffer[]) => () => Buffer.concat(chunks).toString();
  return { child, ended, output: text(all), stdout: text(stdout), stderr: text(stderr) };
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('no process was started');
  return pid;
}

/** Finds the child that is workerd, by its name: the other child is its guard. */
function workerdOf(parent: number): number {
  const found = childrenOf(parent).find((pid) => statOf(pid)?.name === 'workerd');
  if (found === undefined) throw new Error(`process ${parent} has no workerd`);
  return found;
}

/** @returns the children that a process has. */
export function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  return pids.filter((pid) => statOf(pid)?.parent === parent);
}

interface Stat {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
}

/** Reads what Linux says of a process (`man 5 proc_pid_stat`); undefined if it is gone. Tests ask in a loop: `ps` takes 20 ms. */
function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const [, name = '', state = '', parent] = /\((.*)\) (\w) (\d+)/s.exec(text) ?? [];
  return { name, state, parent: Number(parent) };
}

function pause(ms: number): Promise<undefined> {
  return new Promise((done) => setTimeout(done, ms));
}
