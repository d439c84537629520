/** A receiver of notifications: an HTTP or HTTPS server on loopback that writes down what it gets, in order. */
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  request,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A message that has arrived, whatever it was answered. */
export interface Received {
  /** The path of the hook. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How a path answers. */
export type Behaviour = (message: Received, response: ServerResponse) => void;

export interface Receiver {
  /** Without a slash at the end. */
  readonly url: string;
  readonly received: readonly Received[];
  /** By path. Others answer 204. */
  readonly behaviours: Map<string, Behaviour>;
  /** The messages to a path, parsed. */
  at(path: string): { readonly id: number; readonly machine: string; readonly cause: string }[];
  stop(): void;
}

export const SECRET = `whsec_${Buffer.from('a secret of the tests, of 32 byte').toString('base64')}`;

/** A key and its certificate, in PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** @param identity of a receiver by https, as `localhost`. */
export async function startReceiver(identity?: Identity): Promise<Receiver> {
  const received: Received[] = [];
  const behaviours = new Map<string, Behaviour>();
  const receive: RequestListener = (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { url: path = '/', headers } = incoming;
      const message = { path, headers, body: Buffer.concat(chunks).toString() };
      received.push(message);
      const behave = behaviours.get(path) ?? ((_, answer) => answer.writeHead(204).end());
      behave(message, response);
    });
  };
  const server = identity === undefined ? createServer(receive) : createSecureServer(identity, receive);
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const { port } = server.address() as AddressInfo;
  return {
    url: identity === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    received,
    behaviours,
    at: (path) => received.filter((message) => message.path === path).map(({ body }) => JSON.parse(body)),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Verifies a message as its receivers do. @throws where the signature is wrong. */
export function verify({ body, headers }: Received, secret = SECRET): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

/** Passes a message on to another server, as a proxy does. */
export function passOn(to: string): Behaviour {
  return ({ headers, body }, response) => {
    const passed = request(
      to,
      { method: 'POST', headers: { ...headers, host: new URL(to).host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502);
        answer.pipe(response);
      },
    );
    passed.on('error', () => response.writeHead(502).end());
    passed.end(body);
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Whether something listens on a port. */
export async function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
