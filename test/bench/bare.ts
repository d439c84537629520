/**
 * The yardstick: about the least that a Worker with a Durable Object can do for the same answers. One row is read
 * for a `GET`; one row is changed, one added and both committed for a `PUT`, each by itself.
 */
import { DurableObject } from 'cloudflare:workers';

interface Env {
  readonly OBJECTS: DurableObjectNamespace<Bare>;
}

export class Bare extends DurableObject<Env> {
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
}

export default {
  async fetch(request, env) {
    // A call, not a `fetch`: that is how our Worker asks its object, and neither was seen to be the faster.
    const object = env.OBJECTS.getByName('bare');
    return new Response(await (request.method === 'PUT' ? object.write() : object.read()));
  },
} satisfies ExportedHandler<Env>;
