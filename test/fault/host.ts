/** The service of a run: it is started, called, cut off and killed. */
import { join } from 'node:path';
import { folderOf } from '../process/charts.ts';
import type { Random } from '../process/coordination/random.ts';
import { presentVersion, startAway } from '../process/far/away.ts';
import { startServer, temporaryFolder } from '../process/server.ts';
import { releasedWorker } from './released-worker.ts';
import type { Shape } from './shapes.ts';

export interface Host {
  /** The URL of the machine, for the next call. */
  readonly machine: string;
  /**
   * Kills the process that has the data, and starts another one.
   *
   * @param whileDown is called between, with the folder of the data.
   */
  crash(whileDown: (data: string) => Promise<void>): Promise<void>;
  /** Cuts the connections between edges and objects, if there are any. */
  cut?(): void;
  stop(): Promise<void>;
}

/** The machine's address. */
export const MACHINE = 'fault/run';

/** @param env the variables of the server. */
export function startHost(
  { runs, chart }: Shape,
  random: Random,
  env: Readonly<Record<string, string>>,
): Promise<Host> {
  return runs === 'edges' ? startEdges(chart, random) : startAlone(chart, random, env, runs === 'deploys');
}

async function startAlone(
  chart: string,
  random: Random,
  env: Readonly<Record<string, string>>,
  isDeployed: boolean,
): Promise<Host> {
  const charts = await folderOf({ [`${MACHINE}.yaml`]: chart });
  const released = isDeployed ? await releasedWorker() : undefined;
  let isReleased = false;
  let server = await startServer({ charts, env });
  return {
    get machine() {
      return `${server.url}/${MACHINE}`;
    },
    async crash(whileDown) {
      await server.kill9();
      const { data, url } = server;
      await whileDown(data);
      const flags = random.chance(0.5) ? ['--port', new URL(url).port] : [];
      isReleased = released !== undefined && !isReleased;
      const worker = isReleased && released !== undefined ? { BUNDLED_WORKER: released } : {};
      server = await startServer({ charts, data, flags, env: { ...env, ...worker } });
    },
    async stop() {
      await server.stop();
    },
  };
}

/** How many edges there are, and how far they are from the objects, one way and at the most, in ms. */
const EDGES = 3;
const DISTANCE = { delay: 1, jitter: 2 };

async function startEdges(chart: string, random: Random): Promise<Host> {
  const folder = await temporaryFolder();
  const version = await presentVersion(folder);
  const charts = { [MACHINE]: chart };
  const away = await startAway({ folder, charts, edge: version, objects: version, edges: EDGES });
  Object.assign(away.link, DISTANCE);
  return {
    get machine() {
      return `${away.edges[Math.floor(random.below(EDGES))]}/${MACHINE}`;
    },
    crash: (whileDown) => away.kill(() => whileDown(join(folder, 'data'))),
    cut: () => away.link.cut(),
    stop: () => away.stop(),
  };
}
