/** Starts and stops a workerd process, which does not outlive this one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostAndPort, type Listen, portTaken, reachableHost } from './listen.ts';
import { LogLines } from './log-lines.ts';
import { type Result, reasonOf, refuse } from './result.ts';
import { type Folders, workerdArguments } from './workerd-config.ts';

// `import` would also load undici and HTTP/2, for what node:http exports lazily: 50 ms, a fifth of a start.
const { get } = process.getBuiltinModule('node:http');

/** The time from the spawn to the first response, in ms; measured 100 to 400. */
const START_TIMEOUT = 15_000;
/**
 * The time that a stop gives to requests in flight, in ms, so that it takes less than a second. workerd's own drain is
 * unbounded: a `wait=` would delay it for a minute. Every acknowledged change is on disk already.
 */
const STOP_GRACE = 700;
const CONTROL_FD = 3;

/** A workerd that answers requests. */
export interface Workerd {
  /** The port that it listens on; chosen by the system where 0 was given. */
  readonly port: number;
  readonly pid: number | undefined;
  /** Resolves when the process has ended, with the reason: `exit code 1`, `signal SIGKILL`. */
  readonly ended: Promise<string>;
  /** Ends the process after the requests in flight, or after `STOP_GRACE`; resolves when it has ended. */
  stop(): Promise<void>;
}

/**
 * Starts workerd and waits until it answers HTTP.
 *
 * @param configFile the configuration, with its files beside it; read during the start only
 * @param stopping aborts the start
 * @param flags further flags of `workerd serve`
 * @returns a refusal where the port is in use or the Worker does not start; workerd has printed the reason to stderr.
 */
export async function startWorkerd(
  configFile: string,
  folders: Folders,
  listen: Listen,
  stopping: AbortSignal,
  flags: readonly string[] = [],
): Promise<Result<Workerd>> {
  if (stopping.aborted) return refuse('stopped before the start');
  const child = spawn(
    workerdBinary(),
    [...workerdArguments(configFile, folders, hostAndPort(listen), CONTROL_FD), ...flags],
    {
      stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C signals the whole group, and workerd would drop its requests.
      detached: true,
    },
  );
  const ended = endOf(child);
  guard(child, ended);
  const stderr = holdBack(child.stderr);

  const giveUp = AbortSignal.any([stopping, AbortSignal.timeout(START_TIMEOUT)]);
  const port = await Promise.race([
    answeringPort(child.stdio[CONTROL_FD], listen.host, giveUp),
    ended.then(() => null),
    new Promise<null>((resolve) => giveUp.addEventListener('abort', () => resolve(null), { once: true })),
  ]);
  if (port !== null) {
    stderr.release();
    return { ok: true, value: { port, pid: child.pid, ended, stop: () => stop(child, ended) } };
  }
  const isLate = giveUp.aborted;
  child.kill('SIGKILL');
  const end = await ended;
  if (stderr.text().includes('Address already in use')) return await portTaken(listen);
  stderr.release();
  return refuse(
    isLate ? `workerd did not answer within ${START_TIMEOUT / 1000} s` : `workerd did not start: ${end}`,
  );
}

/** @returns the path of the binary. npm's command on the path is a Node script around it, which would keep a signal to itself. */
export function workerdBinary(): string {
  const loaded: unknown = createRequire(import.meta.url)('workerd');
  if (typeof loaded === 'object' && loaded !== null && 'default' in loaded) return String(loaded.default);
  throw new TypeError('the package workerd does not export the path of its binary');
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(reasonOf(error)));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

/**
 * Kills workerd when this process ends, also by a `kill -9`: it would keep the port and the data folder. workerd does not
 * watch its parent, so a shell does, by reading a pipe that closes when this process ends. Without a shell there is no
 * guard.
 */
function guard(child: ChildProcess, ended: Promise<string>): void {
  if (child.pid === undefined) return;
  const shell = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A signal to our process group must not kill the guard first.
    detached: true,
  });
  shell.on('error', () => {});
  // Before the system reuses the pid.
  void ended.then(() => shell.kill('SIGKILL'));
}

/** Buffers a stream. `release` passes the buffer and all later output to stderr, as lines. */
function holdBack(stream: Readable | null): { text(): string; release(): void } {
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer) => chunks.push(chunk);
  stream?.on('data', keep);
  return {
    text: () => Buffer.concat(chunks).toString(),
    release() {
      const lines = new LogLines((text) => process.stderr.write(text));
      lines.add(Buffer.concat(chunks));
      stream?.off('data', keep);
      stream?.on('data', (chunk: Buffer) => lines.add(chunk)).once('end', () => lines.end());
    },
  };
}

/** Waits for workerd to report its port, and for the Worker's first response. @returns null where there is none */
async function answeringPort(control: unknown, host: string, giveUp: AbortSignal): Promise<number | null> {
  if (!(control instanceof Readable)) throw new TypeError('workerd was spawned without a control descriptor');
  for await (const line of createInterface({ input: control })) {
    const message: unknown = JSON.parse(line);
    if (typeof message !== 'object' || message === null || !('port' in message)) continue;
    const port = Number(message.port);
    return (await isAnswering(`http://${hostAndPort({ host: reachableHost(host), port })}/healthz`, giveUp))
      ? port
      : null;
  }
  return null;
}

/** @returns whether the Worker responds, with whatever status. */
function isAnswering(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false, signal }, (response) => {
      response.resume();
      resolve(true);
    }).once('error', () => resolve(false));
  });
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const isLate = await Promise.race([ended.then(() => false), sleep(STOP_GRACE, true, { ref: false })]);
  if (isLate) child.kill('SIGKILL');
  await ended;
}
