/** How many descriptors the process may have open, and what that is enough for. */
import { readFile } from 'node:fs/promises';
import { WAITS } from '../limits.ts';

/** workerd takes two descriptors for each connection: it duplicates that of the socket (seen with 1.20261102.1). */
const PER_CONNECTION = 2;

/** Of all descriptors, waiting requests may hold half: the rest is for other connections, and for machines' files. */
const WAITING_SHARE = 0.5;

/** Descriptors that are enough for `WAITS`. */
const DESCRIPTORS = (WAITS * PER_CONNECTION) / WAITING_SHARE;

export interface Descriptors {
  /** Requests that may wait at once. */
  readonly waits: number;
  /** A line for stderr where there are few. */
  readonly warning: string | undefined;
}

/**
 * Reads the limit of descriptors, which workerd inherits. Node has raised its soft limit to the hard one when it started.
 */
export async function readDescriptors(): Promise<Descriptors> {
  return descriptorsFor(await openFilesLimit());
}

/** @param limit undefined where there is none, or it is not known */
export function descriptorsFor(limit: number | undefined): Descriptors {
  if (limit === undefined || limit >= DESCRIPTORS) return { waits: WAITS, warning: undefined };
  const waits = Math.floor((limit * WAITING_SHARE) / PER_CONNECTION);
  const warning =
    `stateservice: only ${limit} files and sockets may be open, ${PER_CONNECTION} for each connection; ` +
    `at most ${waits} requests may wait. Allow ${DESCRIPTORS}: \`ulimit -n ${DESCRIPTORS}\`, or LimitNOFILE= of systemd`;
  return { waits, warning };
}

/** From /proc of Linux (proc(5)). */
async function openFilesLimit(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
