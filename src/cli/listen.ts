import { createServer, isIPv4, isIPv6 } from 'node:net';
import { errorCode, type Refusal, reasonOf, refuse } from './outcome.ts';
import { listenerOn } from './processes.ts';

/** Where a server listens. */
export interface Listen {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
}

/** @returns `host:port`, as URLs and workerd spell it. */
export function hostAndPort({ host, port }: Listen): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** @returns where a client on this machine finds a server that listens on `host`: no one connects to "all addresses". */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** @returns whether only this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Refuses a port that is taken, and names the process that has it. For `checkPort`, and for workerd where the port was taken in between. */
export async function portTaken({ host, port }: Listen): Promise<Refusal> {
  const taken = `port ${port} on ${host} is taken`;
  const listener = await listenerOn(port);
  if (listener === undefined) return refuse(taken);
  const { pid, name, isOurs } = listener;
  if (!isOurs) return refuse(`${taken} by process ${pid} (${name})`);
  return refuse(
    `${taken} by another StateService, process ${pid}: \`kill ${pid}\` ends it, --port takes another`,
  );
}

/**
 * Tries to listen, and stops again: workerd would find out too, but later and in the words of `bind()`.
 *
 * @returns undefined where one can listen
 */
export async function checkPort(listen: Listen): Promise<Refusal | undefined> {
  const { host, port } = listen;
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  server.once('error', resolve).listen({ host, port }, () => server.close(() => resolve(undefined)));
  const error = await promise;
  if (error === undefined) return undefined;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return portTaken(listen);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return refuse(`${host} is no address of this machine`);
    default:
      return refuse(`cannot listen on port ${port} of ${host}: ${reasonOf(error)}`);
  }
}
