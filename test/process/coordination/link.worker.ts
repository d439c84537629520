/** The service, with a link between its edge and its objects that tests control, and that counts the calls on it. */
import type { Command } from '../../../src/commands.ts';
import type { Env } from '../../../src/edge/env.ts';
import service from '../../../src/index.ts';
import type { Query } from '../../../src/objects/results.ts';

export { ChartBinding, Machine, Tenant } from '../../../src/index.ts';

/** What happens on the link to calls that wait. */
interface Link {
  /** Milliseconds before a call is sent, and before its answer arrives. */
  before: number;
  after: number;
  /** The next calls that are cut, with the platform's marks. */
  cuts: number;
  /** The next calls whose answers never arrive. */
  losses: number;
}

const CLEAR: Link = { before: 0, after: 0, cuts: 0, losses: 0 };
const link: Link = { ...CLEAR };

/** Calls since the last look: all that were made, and the most that were at the objects together. */
const calls = { made: 0, underWay: 0, most: 0 };

async function over<Result>(isWait: boolean, call: () => Promise<Result>): Promise<Result> {
  if (!isWait) return counted(call);
  const { before, after } = link;
  if (link.cuts > 0) {
    link.cuts -= 1;
    throw Object.assign(new Error('Network connection lost.'), { retryable: true });
  }
  const isLost = link.losses > 0;
  if (isLost) link.losses -= 1;
  if (before > 0) await scheduler.wait(before);
  const result = await counted(call);
  if (after > 0) await scheduler.wait(after);
  if (isLost) await new Promise(() => {});
  return result;
}

async function counted<Result>(call: () => Promise<Result>): Promise<Result> {
  calls.made += 1;
  calls.underWay += 1;
  calls.most = Math.max(calls.most, calls.underWay);
  try {
    return await call();
  } finally {
    calls.underWay -= 1;
  }
}

function linked(env: Env): Env {
  const namespace = {
    getByName(name: string) {
      const stub = env.MACHINES.getByName(name);
      return {
        execute: (commands: Command[]) => over(false, async () => stub.execute(commands)),
        read: (queries: Query[]) =>
          over(
            queries.some((query) => 'wait' in query && query.wait !== undefined),
            async () => stub.read(queries),
          ),
        fetch: (request: Request) => stub.fetch(request),
      };
    },
  };
  return { ...env, MACHINES: namespace } as unknown as Env;
}

export default {
  async fetch(request, env) {
    switch (new URL(request.url).pathname) {
      case '/link':
        Object.assign(link, CLEAR, await request.json());
        return new Response();
      case '/calls': {
        const told = Response.json(calls);
        Object.assign(calls, { made: 0, most: calls.underWay });
        return told;
      }
      default:
        return service.fetch(request, linked(env));
    }
  },
} satisfies ExportedHandler<Env>;
