/** HTTP connections as cheap as they can be made: what they cost is not taken for the service's time. */
import { connect, type Socket } from 'node:net';

/** An answer, and how long it took, ms. */
export interface Timed {
  readonly status: number;
  readonly took: number;
}

/** Connections to one server, which stay open. */
export class Connections {
  readonly #sockets: readonly Socket[];
  readonly #host: string;

  private constructor(sockets: readonly Socket[], host: string) {
    this.#sockets = sockets;
    this.#host = host;
  }

  /** @param url `http://host:port` */
  static async open(url: string, count: number): Promise<Connections> {
    const { hostname, port, host } = new URL(url);
    const sockets: Socket[] = [];
    // In some groups: a listener's queue is short.
    while (sockets.length < count) {
      const group = Array.from({ length: Math.min(GROUP, count - sockets.length) }, () =>
        opened(connect({ host: hostname, port: Number(port), noDelay: true })),
      );
      sockets.push(...(await Promise.all(group)));
    }
    return new Connections(sockets, host);
  }

  /**
   * Sends one request over each connection, all at once.
   *
   * @param path of the request of a connection, by its number.
   * @returns the answers, in the order of the connections.
   */
  send(method: string, path: (i: number) => string): Promise<Timed[]> {
    return Promise.all(
      this.#sockets.map((socket, i) =>
        exchange(socket, `${method} ${path(i)} HTTP/1.1\r\nHost: ${this.#host}\r\nContent-Length: 0\r\n\r\n`),
      ),
    );
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const GROUP = 200;

/** A connection is closed that has been silent for so long, ms: longer than any wait. */
const PATIENCE = 90_000;

function opened(socket: Socket): Promise<Socket> {
  return new Promise((done, fail) => {
    socket.once('error', fail).once('connect', () => {
      socket.setTimeout(PATIENCE, () => socket.destroy());
      // Later errors end an exchange by 'close'.
      socket.on('error', () => {});
      done(socket);
    });
  });
}

/** Sends a request, and reads its answer to the end. */
function exchange(socket: Socket, request: string): Promise<Timed> {
  return new Promise((done, fail) => {
    if (socket.destroyed) return fail(new Error('the connection was closed before the request'));
    const sent = performance.now();
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      socket.off('data', read).off('close', closed);
      done({ status: Number(text.slice(9, 12)), took: performance.now() - sent });
    };
    const closed = () => fail(new Error(`the connection was closed; it had sent ${JSON.stringify(text)}`));
    socket.on('data', read).once('close', closed);
    socket.write(request);
  });
}

/** @param sorted by size. */
export function quantileOf(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
