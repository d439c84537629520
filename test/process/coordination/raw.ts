/**
 * HTTP/1.1 over plain sockets: a request on a connection of its own costs a fraction of a `fetch`, for thousands of
 * them.
 */
import { connect } from 'node:net';

interface Answered {
  readonly status: number;
  /** When the first byte came, by `performance.now()`. */
  readonly at: number;
}

export interface Call {
  /** Fulfilled when the request is sent. */
  readonly sent: Promise<void>;
  /** Rejected if the connection is closed before an answer. */
  readonly answered: Promise<Answered>;
  /** Destroys the connection, as a client does that dies. */
  vanish(): void;
}

export function call(method: string, url: string): Call {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const sent = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<Answered>();
  // The test need not await the end of a request that was destroyed.
  answered.promise.catch(() => {});
  socket.once('connect', () => {
    socket.write(`${method} ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`, () =>
      sent.resolve(),
    );
  });
  socket.once('data', (chunk) => {
    answered.resolve({
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1]),
      at: performance.now(),
    });
    socket.destroy();
  });
  socket.once('error', (error) => {
    sent.reject(error);
    answered.reject(error);
  });
  socket.once('close', () => answered.reject(new Error('the connection was closed')));
  return { sent: sent.promise, answered: answered.promise, vanish: () => socket.destroy() };
}
