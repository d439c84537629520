/** Bounds waiting requests by the number of descriptors that the process may have open. */
import { readFile } from 'node:fs/promises';
import { WAITS } from '../limits.ts';

/** Descriptors of a connection: workerd duplicates that of the socket (observed with 1.20261102.1). */
const PER_CONNECTION = 2;

/** The share of descriptors for waiting requests; the rest is for other connections and for machines' files. */
const WAITING_SHARE = 0.5;

/** The number of descriptors that `WAITS` needs. */
export const DESCRIPTORS = (WAITS * PER_CONNECTION) / WAITING_SHARE;

export interface Descriptors {
  /** The number of requests that may wait or watch at once. */
  readonly waits: number;
  /** A line for stderr where the limit is low. */
  readonly warning: string | undefined;
}

/**
 * Reads the limit of descriptors, which workerd inherits. Node raises its soft limit to the hard limit when it starts.
 */
export async function readDescriptors(): Promise<Descriptors> {
  return descriptorsFor(await openFilesLimit());
}

/** @param limit undefined where there is none, or it is unknown */
export function descriptorsFor(limit: number | undefined): Descriptors {
  if (limit === undefined || limit >= DESCRIPTORS) return { waits: WAITS, warning: undefined };
  const waits = Math.floor((limit * WAITING_SHARE) / PER_CONNECTION);
  const warning =
    `stateservice: the limit of open files is ${limit}, and a connection takes ${PER_CONNECTION}, so at most ` +
    `${waits} requests may wait or watch. Raise it to ${DESCRIPTORS}: \`ulimit -n ${DESCRIPTORS}\`, or LimitNOFILE= of systemd`;
  return { waits, warning };
}

/** Reads /proc of Linux (proc(5)). */
async function openFilesLimit(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
