/** A client's connection, on which each response can be found in the trace of the server. */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Fetch } from '../wire.ts';

/** A response: the connection as the trace names it, and its number there, from 1. */
export interface Heard {
  readonly connection: string;
  readonly number: number;
}

export class Connection {
  readonly #localAddress = ownAddress();
  /** One at a time: the responses come in the order of the requests. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #responses = new Map<string, number>();
  #heard: Heard | undefined;

  /** The last response. */
  get heard(): Heard {
    if (this.#heard === undefined) throw new Error('nothing was heard yet');
    return this.#heard;
  }

  /** As the global `fetch`, and fails as it does. */
  readonly fetch: Fetch = (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const failed = (error: Error) =>
        reject(signal.aborted ? error : new TypeError('fetch failed', { cause: error }));
      const call = request(
        url,
        { agent: this.#agent, localAddress: this.#localAddress, method, headers, signal },
        (response) => {
          const chunks: Buffer[] = [];
          const { remoteAddress, remotePort, localAddress, localPort } = response.socket;
          const connection = `${remoteAddress}:${remotePort}->${localAddress}:${localPort}`;
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', failed);
          response.once('end', () => {
            const number = (this.#responses.get(connection) ?? 0) + 1;
            this.#responses.set(connection, number);
            this.#heard = { connection, number };
            resolve(asResponse(response, Buffer.concat(chunks)));
          });
        },
      );
      call.once('error', failed);
      call.end(body);
    });

  close(): void {
    this.#agent.destroy();
  }
}

let connections = 0;

/**
 * Returns an address of this host that no other connection of the process has: a port that is used again would be taken for
 * the connection before. Linux has all of 127.0.0.0/8.
 */
function ownAddress(): string {
  connections += 1;
  return `127.1.${(connections >> 8) & 255}.${connections & 255}`;
}

function asResponse({ statusCode = 0, headers }: IncomingMessage, body: Buffer): Response {
  const { etag = '' } = headers;
  return new Response(statusCode === 204 ? null : body.toString(), {
    status: statusCode,
    headers: { ETag: etag },
  });
}
