/**
 * The baseline: close to the least that a Worker with a Durable Object can do for the same answers. A `GET` reads one
 * row. A `PUT` changes one row, adds one, and commits both by itself. Each path is an object.
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

  /** The platform commits the writes of one turn, and holds the answer until then. */
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

  /** How many requests wait. */
  waiting(): number {
    return this.#waiting.length;
  }

  /** Writes, and answers all waits and WebSockets. */
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

/** The Worker answers without its object: the minimum. */
const ITSELF = '/itself';

export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    if (pathname === ITSELF) return new Response('a');
    // An RPC, not a `fetch`: our Worker calls its object in this way. Neither was seen to be faster.
    const object = env.OBJECTS.getByName(pathname);
    if (request.headers.get('Upgrade') === 'websocket') return object.fetch(request);
    if (request.method === 'PUT')
      return new Response(await (search === '?tell' ? object.tell() : object.write()));
    if (search === '?waiting') return new Response(String(await object.waiting()));
    return new Response(await (search === '?wait' ? object.wait() : object.read()));
  },
} satisfies ExportedHandler<Env>;
