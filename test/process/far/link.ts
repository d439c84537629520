/** A TCP proxy that is the distance between an edge and its objects: with a delay, jitter, and cuts when a test says so. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** `there`: from the edge to the objects. */
export type Direction = 'there' | 'back';

/** A cut at the next chunk that contains a text. */
export interface Cut {
  readonly direction: Direction;
  /** ASCII, such as the name of a method or of a field: they are not encoded on the wire. */
  readonly containing: string;
  /** How long after its delivery the connection is cut, ms. Left out, the chunk is never delivered. */
  readonly deliveredFor?: number;
}

export class Link {
  /** One way, ms. */
  delay = 0;
  /** The most that is added at random to `delay`, ms. The order of the bytes stays. */
  jitter = 0;
  /** Chunks that were delivered so far, both ways. */
  carried = 0;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #armed: { readonly cut: Cut; readonly done: () => void } | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param target the port of the objects. */
  static async open(target: number): Promise<Link> {
    const server = createServer({ noDelay: true });
    const link = new Link(server);
    server.on('connection', (socket) => link.#join(socket, target));
    await new Promise<void>((done) => server.listen({ host: HOST, port: 0 }, done));
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link listens on no port');
    return address.port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Cuts all connections at once: what is under way is lost. */
  cut(): void {
    for (const [edge, objects] of this.#pairs) {
      edge.resetAndDestroy();
      objects.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  /** Cuts all connections at a chunk. @returns a promise for the moment after the cut. */
  cutAt(cut: Cut): Promise<void> {
    return new Promise((done) => {
      this.#armed = { cut, done };
    });
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((done) => this.#server.close(done));
  }

  #join(edge: Socket, target: number): void {
    const objects = connect({ host: HOST, port: target, noDelay: true });
    const pair = [edge, objects] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        edge.destroy();
        objects.destroy();
        this.#pairs.delete(pair);
      });
    }
    this.#carry('there', edge, objects);
    this.#carry('back', objects, edge);
  }

  #carry(direction: Direction, from: Socket, to: Socket): void {
    const queue: { readonly at: number; readonly act: () => void }[] = [];
    const deliver = () => {
      const now = performance.now();
      // Node's timers have whole milliseconds, and some are a little early.
      while (queue[0] !== undefined && queue[0].at - now < 0.5) queue.shift()?.act();
      if (queue[0] !== undefined) setTimeout(deliver, queue[0].at - now);
    };
    const later = (act: () => void) => {
      const at = performance.now() + this.delay + Math.random() * this.jitter;
      // One timer for the first of the queue: what follows is never delivered before it.
      if (queue.push({ at, act }) === 1) setTimeout(deliver, Math.max(0, at - performance.now()));
    };
    from.on('data', (chunk) => later(() => this.#deliver(direction, chunk, to)));
    from.on('end', () => later(() => to.end()));
  }

  #deliver(direction: Direction, chunk: Buffer, to: Socket): void {
    this.carried += 1;
    const armed = this.#armed;
    const isHit = armed?.cut.direction === direction && chunk.includes(armed.cut.containing);
    if (!isHit) {
      if (to.writable) to.write(chunk);
      return;
    }
    this.#armed = undefined;
    const { deliveredFor } = armed.cut;
    const cut = () => {
      this.cut();
      armed.done();
    };
    if (deliveredFor === undefined) cut();
    else to.write(chunk, () => void pause(deliveredFor).then(cut));
  }
}

const HOST = '127.0.0.1';
