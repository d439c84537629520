/** One workerd process: started, waited for, stopped, and not left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Folders, workerdArguments } from './config.ts';
import { hostAndPort, type Listen, portTaken, reachableHost } from './listen.ts';
import { type Outcome, reasonOf, refuse } from './outcome.ts';

/** How long it may take from the spawn to the first answer, in ms; seen: 100 to 400. */
const START_TIMEOUT = 15_000;
/**
 * How long a stop lets requests finish, in ms, so that the whole of it stays under a second. workerd's own drain has
 * no bound: a `wait=` would hold it for a minute. What was answered is on the disk already.
 */
const STOP_GRACE = 700;
const CONTROL_FD = 3;

/** A process that answers requests. */
export interface Workerd {
  /** The port it listens on; the system's choice where 0 was asked for. */
  readonly port: number;
  readonly pid: number | undefined;
  /** Fulfilled when the process is gone, with how it ended: `exit code 1`, `signal SIGKILL`. */
  readonly ended: Promise<string>;
  /** Lets requests finish for a moment, then kills; fulfilled when the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts workerd and waits until it answers HTTP.
 *
 * @param configFile its files beside it; read during the start only
 * @param stopping aborts the start
 * @returns refused: a port that is taken, a Worker that does not start (workerd has said why on stderr).
 */
export async function startWorkerd(
  configFile: string,
  folders: Folders,
  listen: Listen,
  stopping: AbortSignal,
): Promise<Outcome<Workerd>> {
  if (stopping.aborted) return refuse('it was told to stop before it started');
  const child = spawn(
    workerdBinary(),
    workerdArguments(configFile, folders, hostAndPort(listen), CONTROL_FD),
    {
      stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
      // Its own process group: Ctrl-C signals the whole group, and workerd would drop its requests on it.
      detached: true,
    },
  );
  const ended = endOf(child);
  guard(child, ended);
  const said = holdBack(child.stderr);

  const giveUp = AbortSignal.any([stopping, AbortSignal.timeout(START_TIMEOUT)]);
  const port = await Promise.race([
    answeringPort(child.stdio[CONTROL_FD], listen.host, giveUp),
    ended.then(() => null),
    new Promise<null>((resolve) => giveUp.addEventListener('abort', () => resolve(null), { once: true })),
  ]);
  if (port !== null) {
    said.release();
    return { ok: true, value: { port, pid: child.pid, ended, stop: () => stop(child, ended) } };
  }
  const isLate = giveUp.aborted;
  child.kill('SIGKILL');
  const end = await ended;
  if (said.text().includes('Address already in use')) return await portTaken(listen);
  said.release();
  return refuse(
    isLate ? `workerd did not answer within ${START_TIMEOUT / 1000} s` : `workerd did not start: ${end}`,
  );
}

/** The binary itself: what npm puts on the path is a Node script around it, and a signal would stop only that. */
function workerdBinary(): string {
  const loaded: unknown = createRequire(import.meta.url)('workerd');
  if (typeof loaded === 'object' && loaded !== null && 'default' in loaded) return String(loaded.default);
  throw new TypeError('the package workerd no longer exports the path of its binary');
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(reasonOf(error)));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

/**
 * Kills workerd when this process is gone, also by a `kill -9`: it would hold the port and the data for ever. workerd
 * does not watch its parent, so a shell does: it reads a pipe that ends when we do. Without a shell there is no guard.
 */
function guard(child: ChildProcess, ended: Promise<string>): void {
  if (child.pid === undefined) return;
  const shell = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // What kills our process group must not kill the guard first.
    detached: true,
  });
  shell.on('error', () => {});
  // Before the pid can be given to somebody else.
  void ended.then(() => shell.kill('SIGKILL'));
}

/** Keeps a stream's text until it is known whether it is worth showing; `release` passes it and all that follows to stderr. */
function holdBack(stream: Readable | null): { text(): string; release(): void } {
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer) => chunks.push(chunk);
  stream?.on('data', keep);
  return {
    text: () => Buffer.concat(chunks).toString(),
    release() {
      process.stderr.write(Buffer.concat(chunks));
      stream?.off('data', keep).pipe(process.stderr);
    },
  };
}

/** Waits for workerd to report its port, and for the Worker's first answer. @returns null where there is none */
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

/** @returns whether the Worker answers at all: what it says is its own affair. */
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
