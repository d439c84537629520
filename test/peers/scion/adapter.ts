/** A test server of SCION's framework in front of the service: its protocol on one side, our HTTP on the other. */
import { createServer, type Server as HttpServer } from 'node:http';
import * as z from 'zod';
import { translate } from './translate.ts';
import { parseXml } from './xml.ts';

export interface Adapter {
  readonly url: string;
  stop(): void;
}

/** A request of the framework: a chart to load, or an event for a loaded one. */
const Asked = z.union([
  z.object({ load: z.string() }),
  z.object({ event: z.object({ name: z.string() }), sessionToken: z.string() }),
]);

const Status = z.object({ states: z.array(z.string()) });

interface Told {
  readonly sessionToken: string;
  readonly nextConfiguration: readonly string[];
}

/** @param service the URL of the service. */
export async function startAdapter(service: string): Promise<Adapter> {
  const leaves = new Map<string, ReadonlySet<string>>();

  async function look(sessionToken: string): Promise<Told> {
    const response = await fetch(`${service}/scion/${sessionToken}`);
    const { states } = Status.parse(await response.json());
    return {
      sessionToken,
      nextConfiguration: states.filter((state) => leaves.get(sessionToken)?.has(state)),
    };
  }

  async function answer(asked: z.infer<typeof Asked>): Promise<Told> {
    if ('load' in asked) {
      const sessionToken = `chart-${leaves.size + 1}`;
      const chart = translate(parseXml(await (await fetch(asked.load)).text()));
      leaves.set(sessionToken, new Set(leavesOf(Shape.parse(chart))));
      const body = JSON.stringify(chart);
      const response = await fetch(`${service}/scion/${sessionToken}/chart`, { method: 'PUT', body });
      if (!response.ok) throw new Error(await response.text());
      return look(sessionToken);
    }
    const event = encodeURIComponent(asked.event.name);
    const path = `/scion/${asked.sessionToken}/state?state=root&event=${event}`;
    // 406 if no state takes the event.
    const response = await fetch(service + path, { method: 'PUT' });
    if (![200, 406].includes(response.status)) throw new Error(await response.text());
    return look(asked.sessionToken);
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const told = await answer(Asked.parse(JSON.parse(Buffer.concat(chunks).toString()))).catch(String);
    response.writeHead(typeof told === 'string' ? 500 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(told));
  });
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  return { url: urlOf(server), stop: () => server.close() };
}

const Shape = z.looseObject({
  id: z.string().optional(),
  get states() {
    return z.record(z.string(), Shape).optional();
  },
});

/** @returns the names of the states without states in them, but for those that the translation has added. */
function leavesOf({ id = '', states }: z.infer<typeof Shape>): string[] {
  if (states !== undefined) return Object.values(states).flatMap(leavesOf);
  return id.startsWith('__') ? [] : [id];
}

function urlOf(server: HttpServer): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return `http://127.0.0.1:${address.port}/`;
}
