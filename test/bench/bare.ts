/**
 * The yardstick: about the least that a Worker with a Durable Object can do for the same answers. One row is read
 * for a `GET`; one row is changed, one added and both committed for a `PUT`, each by itself. Each path is an object.
 */
import { DurableObject } from 'cloudflare:workers';

interface Env {
  readonly OBJECTS: DurableObjectNamespace<Bare>;
}

export class Bare extends DurableObject<Env> {
  #waiting: (() => void)[] = [];

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS machine (id INTEGER PRIMARY KEY, state TEXT NOT NULL, count INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL);
      INSERT OR IGNORE INTO machine (id, state, count) VALUES (1, 'a', 0);
    `);
  }

  read(): string {
    return this.ctx.storage.sql.exec<{ state: string }>('SELECT state FROM machine').one().state;
  }

  /** The platform commits what one turn has written, and holds the answer until then. */
  write(): string {
    this.ctx.storage.sql.exec('UPDATE machine SET count = count + 1');
    this.ctx.storage.sql.exec('INSERT INTO history (at, event) VALUES (?, ?)', Date.now(), 'update');
    return this.read();
  }

  /** Answers after the next `tell`. */
  async wait(): Promise<string> {
    await new Promise<void>((done) => this.#waiting.push(done));
    return this.read();
  }

  /** How many wait. */
  waiting(): number {
    return this.#waiting.length;
  }

  /** Writes, and tells all who wait and all who watch. */
  tell(): string {
    const state = this.write();
    for (const done of this.#waiting.splice(0)) done();
    for (const socket of this.ctx.getWebSockets()) socket.send(TOLD);
    return state;
  }

  override webSocketClose(socket: WebSocket): void {
    socket.close(1000);
  }

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
}

/** As long as an entry of our history. */
const TOLD = JSON.stringify({ text: 'x'.repeat(180) });

/** Where the Worker answers by itself, and asks no object: less than that nothing can do. */
const ITSELF = '/itself';

export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    if (pathname === ITSELF) return new Response('a');
    // A call, not a `fetch`: that is how our Worker asks its object, and neither was seen to be the faster.
    const object = env.OBJECTS.getByName(pathname);
    if (request.headers.get('Upgrade') === 'websocket') return object.fetch(request);
    if (request.method === 'PUT')
      return new Response(await (search === '?tell' ? object.tell() : object.write()));
    if (search === '?waiting') return new Response(String(await object.waiting()));
    return new Response(await (search === '?wait' ? object.wait() : object.read()));
  },
} satisfies ExportedHandler<Env>;
