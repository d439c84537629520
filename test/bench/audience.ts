/** Thousands of WebSockets or waits at one machine, as cheap as they can be: they share the cores with the server. */
import { connect, type Socket } from 'node:net';

export interface Audience {
  /**
   * Sends an update, and waits until every client has its message.
   * @returns the time from the update to the last message, ms.
   */
  tell(send: () => Promise<void>): Promise<number>;
  close(): void;
}

/** WebSockets (RFC 6455). Only frames are counted: each client gets one short message at a time. */
export function openSockets(url: string, count: number): Promise<Audience> {
  const upgrade = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  return gather(url, count, upgrade, 'HTTP/1.1 101');
}

/** Requests that wait: each ends with its answer. */
export async function openWaits(url: string, count: number): Promise<Audience> {
  return gather(url, count, [], undefined);
}

/** How long all messages may take, ms. */
const PATIENCE = 30_000;

/** A close frame (RFC 6455, section 5.5.1), masked with zeros. */
const CLOSE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** Connections that are opened at once. */
const SOME = 200;

async function gather(
  url: string,
  count: number,
  headers: readonly string[],
  greeting: string | undefined,
): Promise<Audience> {
  const { hostname, port, pathname, search } = new URL(url);
  const request = [`GET ${pathname}${search} HTTP/1.1`, `Host: ${hostname}`, ...headers, '', ''].join('\r\n');
  const sockets: Socket[] = [];
  let told = 0;
  let all = Promise.withResolvers<void>();
  const open = () =>
    new Promise<void>((done, fail) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      let isGreeted = greeting === undefined;
      socket.once('error', fail);
      socket.once('connect', () => socket.write(request, () => greeting === undefined && done()));
      socket.on('data', (chunk) => {
        if (!isGreeted) {
          if (!chunk.toString('latin1').startsWith(greeting ?? '')) fail(new Error(chunk.toString('latin1')));
          isGreeted = true;
          done();
        } else if (++told === count) all.resolve();
      });
      sockets.push(socket);
    });
  while (sockets.length < count) {
    await Promise.all(Array.from({ length: Math.min(SOME, count - sockets.length) }, open));
  }
  return {
    async tell(send) {
      told = 0;
      all = Promise.withResolvers<void>();
      const begun = performance.now();
      const late = setTimeout(() => {
        all.reject(new Error(`${told} of ${count} got their message at ${url}`));
      }, PATIENCE);
      try {
        await Promise.all([send(), all.promise]);
      } finally {
        clearTimeout(late);
      }
      return performance.now() - begun;
    },
    close() {
      for (const socket of sockets) {
        if (greeting === undefined) socket.destroy();
        // workerd keeps a WebSocket whose client has gone without a close frame.
        else socket.end(CLOSE);
      }
    },
  };
}
