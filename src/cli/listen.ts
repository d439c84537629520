import { createServer, isIPv4, isIPv6 } from 'node:net';
import { listenerOn } from './processes.ts';
import { DONE, errorCode, type Refusal, type Result, reasonOf, refuse } from './result.ts';

/** The host and port that a server listens on. */
export interface Listen {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** @returns `host:port` as in URLs and in workerd's arguments. */
export function hostAndPort({ host, port }: Listen): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** @returns a host by which a client on this machine reaches a server that listens on `host`, which may be a wildcard. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** @returns whether a server that listens on `host` can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Makes the refusal for a port in use, with the process that has it. Also for workerd, where the port was taken after `checkPort`. */
export async function portTaken({ host, port }: Listen): Promise<Refusal> {
  const taken = `port ${port} on ${host} is in use`;
  const listener = await listenerOn(port);
  if (listener === undefined) return refuse(taken);
  const { pid, name, isOurs } = listener;
  if (!isOurs) return refuse(`${taken} by process ${pid} (${name})`);
  return refuse(
    `${taken} by another StateService, process ${pid}: stop it with \`kill ${pid}\`, or choose another port with --port`,
  );
}

/**
 * Listens on a port, and stops. workerd would find a port in use too, but later and with the message of `bind()`.
 *
 * @returns a refusal where the port cannot be listened on.
 */
export async function checkPort(listen: Listen): Promise<Result<void>> {
  const { host, port } = listen;
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  server.once('error', resolve).listen({ host, port }, () => server.close(() => resolve(undefined)));
  const error = await promise;
  if (error === undefined) return DONE;
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return portTaken(listen);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return refuse(`${host} is not an address of this machine`);
    default:
      return refuse(`cannot listen on port ${port} of ${host}: ${reasonOf(error)}`);
  }
}
