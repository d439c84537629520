/** The Worker of the objects: the service itself, and an entry for edges in other processes. */
import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
import type { Env } from '../../../src/edge/env.ts';
import service, { Machine, Tenant } from '../../../src/index.ts';
import { CHANGED, type Namespace, OBJECT_HEADER, type ObjectsMethods } from './protocol.ts';

export { Machine, Tenant };

/** The calls of edges that have no result yet. */
let underWay = 0;

export default {
  fetch(request, env) {
    if (new URL(request.url).pathname === '/-/calls') return new Response(String(underWay));
    return service.fetch(request as Request, env);
  },
} satisfies ExportedHandler<Env>;

type Stub = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
type Bindings = Readonly<Record<Namespace, { getByName(name: string): Stub & Fetcher }>>;

/** The least that an object can do: it reads a row, or changes one. */
export class Bare extends DurableObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS count (id INTEGER PRIMARY KEY, count INTEGER)');
    ctx.storage.sql.exec('INSERT OR IGNORE INTO count VALUES (1, 0)');
  }

  ask(): number {
    return Number(this.ctx.storage.sql.exec('SELECT count FROM count').one().count);
  }

  report(): number {
    return Number(
      this.ctx.storage.sql.exec('UPDATE count SET count = count + 1 RETURNING count').one().count,
    );
  }
}

/** What an edge calls: it passes each call to an object. */
export class Objects extends WorkerEntrypoint<Bindings> implements ObjectsMethods {
  async call(
    namespace: Namespace,
    name: string,
    method: string,
    ...args: readonly unknown[]
  ): Promise<unknown> {
    underWay += 1;
    try {
      const results = await this.env[namespace].getByName(name)[method]?.(...args);
      return namespace === 'MACHINES' && Array.isArray(results) ? changed(name, results) : results;
    } finally {
      underWay -= 1;
    }
  }

  /** Opens a WebSocket at a machine. */
  override fetch(request: Request): Promise<Response> {
    return this.env.MACHINES.getByName(request.headers.get(OBJECT_HEADER) ?? '').fetch(request);
  }
}

function changed(name: string, results: readonly object[]): readonly object[] {
  if (name.startsWith(CHANGED.unknownFields)) return results.map((result) => ({ ...result, newer: 1 }));
  if (name.startsWith(CHANGED.unknownRefusals))
    return results.map((result) => ('code' in result ? { ...result, code: 'newer' } : result));
  return results;
}
