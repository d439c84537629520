/**
 * Finds the process that has a port or a file open, to name it in an error message. Reads `/proc` of Linux (proc(5)):
 * it finds nothing on other systems, and no process of another user.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';

export interface Process {
  readonly pid: number;
  /** The program's name: `node`, `nginx`. */
  readonly name: string;
  /** Whether it is a server of this package. */
  readonly isOurs: boolean;
}

/** @returns the process that listens on a TCP port; undefined where there is none or more than one socket. */
export async function listenerOn(port: number): Promise<Process | undefined> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => textOf(`/proc/net/${table}`)));
  const inodes = new Set(tables.flatMap((table) => listeningSockets(table, port)));
  // Sockets on two addresses may belong to two processes.
  const [inode, ...more] = inodes;
  return inode === undefined || more.length > 0 ? undefined : processWith(`socket:[${inode}]`);
}

/** @returns a process that has a file open. */
export async function openerOf(file: string): Promise<Process | undefined> {
  return processWith(await realpath(file).catch(() => file));
}

/** `TCP_LISTEN` of include/net/tcp_states.h, as in /proc/net/tcp. */
const LISTENS = '0A';

/** @returns the inodes of the sockets that listen on a port, from the text of /proc/net/tcp. */
function listeningSockets(table: string, port: number): string[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    // sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === LISTENS && local?.endsWith(ending) && inode !== undefined ? [inode] : [];
  });
}

/** Finds the process with a descriptor that links to `target`. For a workerd, returns the server that started it. */
async function processWith(target: string): Promise<Process | undefined> {
  for (const pid of await namesIn('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    for (const descriptor of await namesIn(`/proc/${pid}/fd`)) {
      const link = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => undefined);
      if (link !== target) continue;
      const parent = await parentOf(pid);
      if (await isServer(parent)) return { pid: Number(parent), name: 'node', isOurs: true };
      const name = (await textOf(`/proc/${pid}/comm`)).trim();
      return { pid: Number(pid), name, isOurs: await isServer(pid) };
    }
  }
  return undefined;
}

async function isServer(pid: string): Promise<boolean> {
  const words = (await textOf(`/proc/${pid}/cmdline`)).split('\0');
  const script = words.findIndex((word) => /(^|\/)src\/cli\.ts$/.test(word));
  return script !== -1 && words[script + 1] === 'serve';
}

async function parentOf(pid: string): Promise<string> {
  return /^PPid:\s+(\d+)$/m.exec(await textOf(`/proc/${pid}/status`))?.[1] ?? '';
}

/** Empty where the process has ended or belongs to another user. */
function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
