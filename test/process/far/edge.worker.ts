/** The Worker of an edge: the service's own edge, whose stubs call objects in another process. */

import type { Env } from '../../../src/edge/env.ts';
import service from '../../../src/index.ts';
import { type Call, CHANGED, type Namespace, OBJECT_HEADER, type ObjectsMethods } from './protocol.ts';

interface Bindings extends Env {
  readonly OBJECTS: Fetcher & ObjectsMethods;
}

let known: Env | undefined;

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/-/bare') {
      const method = request.method === 'GET' ? 'ask' : 'report';
      return new Response(String(await env.OBJECTS.call('BARE', 'bare', method)));
    }
    if (pathname === '/-/call') {
      const { namespace, name, method, args } = (await request.json()) as Call;
      return Response.json(await env.OBJECTS.call(namespace, name, method, ...args));
    }
    known ??= {
      ...env,
      MACHINES: stubs(env.OBJECTS, 'MACHINES') as unknown as Env['MACHINES'],
      TENANTS: stubs(env.OBJECTS, 'TENANTS') as unknown as Env['TENANTS'],
    };
    return service.fetch(request as Request, known);
  },
} satisfies ExportedHandler<Bindings>;

/** A namespace whose stubs call the objects of another process. They have every method, as the platform's have. */
function stubs(objects: Bindings['OBJECTS'], namespace: Namespace) {
  return {
    getByName(name: string) {
      const send = (request: Request) => {
        const named = new Request(request);
        named.headers.set(OBJECT_HEADER, name);
        return objects.fetch(named);
      };
      const call = (method: string | symbol) =>
        method === 'fetch'
          ? send
          : (...args: readonly unknown[]) =>
              objects.call(namespace, name, String(method), ...changed(namespace, name, args));
      return new Proxy({}, { get: (_, method) => (method === 'then' ? undefined : call(method)) });
    },
  };
}

function changed(namespace: Namespace, name: string, args: readonly unknown[]): readonly unknown[] {
  const [calls] = args;
  if (namespace !== 'MACHINES' || !Array.isArray(calls)) return args;
  if (name.startsWith(CHANGED.unknownCalls))
    return [calls.map((call) => ({ ...call, type: `newer-${call.type}` }))];
  if (name.startsWith(CHANGED.unknownFields))
    return [calls.map((call) => ({ ...call, newer: { fields: [1] } }))];
  return args;
}
