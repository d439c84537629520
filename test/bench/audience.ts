/** Thousands who are told by one machine, as cheaply as they can be made: they share the cores with what they listen to. */
import { connect, type Socket } from 'node:net';

export interface Audience {
  /** Sends, and waits until everybody has been told. @returns from the sending to the last one told, ms. */
  tell(send: () => Promise<void>): Promise<number>;
  close(): void;
}

/** WebSockets (RFC 6455), as far as their frames are counted: each is told one short message at a time. */
export function openSockets(url: string, count: number): Promise<Audience> {
  const upgrade = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  return gather(url, count, upgrade, 'HTTP/1.1 101');
}

/** Requests that wait: the answer is what they are told. */
export async function openWaits(url: string, count: number): Promise<Audience> {
  return gather(url, count, [], undefined);
}

/** How long it may take until everybody has been told, ms. */
const PATIENCE = 30_000;

/** A close frame (RFC 6455, section 5.5.1), masked with zeros. */
const CLOSE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** How many connections are opened at once. */
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
  let everybody = Promise.withResolvers<void>();
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
        } else if (++told === count) everybody.resolve();
      });
      sockets.push(socket);
    });
  while (sockets.length < count) {
    await Promise.all(Array.from({ length: Math.min(SOME, count - sockets.length) }, open));
  }
  return {
    async tell(send) {
      told = 0;
      everybody = Promise.withResolvers<void>();
      const begun = performance.now();
      const late = setTimeout(() => {
        everybody.reject(new Error(`${told} of ${count} were told at ${url}`));
      }, PATIENCE);
      try {
        await Promise.all([send(), everybody.promise]);
      } finally {
        clearTimeout(late);
      }
      return performance.now() - begun;
    },
    close() {
      for (const socket of sockets) {
        if (greeting === undefined) socket.destroy();
        // workerd keeps a WebSocket whose other end has gone without a word.
        else socket.end(CLOSE);
      }
    },
  };
}
