/** Our service and the bare one in a single workerd process, so that whatever disturbs one disturbs the other. */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleWorker, PACKAGE_ROOT } from '../../src/cli/bundle.ts';
import { startWorkerd } from '../../src/cli/workerd.ts';
import { readCompatibility, textFile, WORKER_FILE, workerdConfig } from '../../src/cli/workerd-config.ts';
import { WAITS } from '../../src/limits.ts';
import { unwrap } from '../unwrap.ts';

export interface Servers {
  /** `http://host:port` */
  readonly ours: string;
  readonly bare: string;
  /** Where both store their data: on the disk of the checkout. */
  readonly folder: string;
  /** CPU time of the process so far, ms. */
  cpuTime(): number;
  /** Stops the process and starts another one: all objects sleep. */
  restart(): Promise<void>;
  /** Stops the process and removes its data. */
  stop(): Promise<void>;
}

export const HOST = '127.0.0.1';
const BARE_FILE = 'bare.js';

/**
 * Serves the Worker of `src/` exactly as `npm start` does, and `bare.ts` beside it.
 *
 * @param charts by their names, at `/bench/NAME`; the chart `small` is the default chart as well.
 */
export async function serveBoth(charts: Readonly<Record<string, string>>): Promise<Servers> {
  const folder = await workFolder();
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const folders = { charts: join(folder, 'charts'), data: join(folder, 'data') };
    for (const path of Object.values(folders)) await mkdir(path);
    await mkdir(join(folders.charts, 'bench'));
    for (const [name, text] of Object.entries(charts))
      await writeFile(join(folders.charts, 'bench', `${name}.yaml`), text);
    const ports = { ours: await freePort(), bare: await freePort() };
    const config = await writeConfig(folder, charts.small ?? '', ports.bare);
    const start = async () =>
      unwrap(
        await startWorkerd(config, folders, { host: HOST, port: ports.ours }, new AbortController().signal),
      );
    let workerd = await start();
    return {
      ours: `http://${HOST}:${ports.ours}`,
      bare: `http://${HOST}:${ports.bare}`,
      folder,
      cpuTime: () => cpuTime(workerd.pid),
      async restart() {
        await workerd.stop();
        workerd = await start();
      },
      async stop() {
        await workerd.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** As Linux reports it, in ticks of 10 ms. */
function cpuTime(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields 14 and 15 of proc(5), user and system; the name in field 2 may have spaces in it.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

/** A folder on the disk of the checkout: where the system's temporary folder is in memory, a commit costs nothing. */
async function workFolder(): Promise<string> {
  const cache = join(PACKAGE_ROOT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  return mkdtemp(join(cache, 'stateservice-bench-'));
}

/** @returns the configuration's file. The files that it embeds are beside it. */
async function writeConfig(folder: string, chart: string, barePort: number): Promise<string> {
  const compatibility = readCompatibility(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  if (compatibility === undefined) throw new Error('wrangler.toml has no compatibility_date');
  unwrap(await bundleWorker(join(folder, WORKER_FILE)));
  await build({ entryPoints: [join(import.meta.dirname, 'bare.ts')], outfile: join(folder, BARE_FILE) });
  const texts = new Map([
    ['AUTH', 'open'],
    ['CHART', chart],
    // As `npm start` sets it: without it, `request.cf` is parsed for each request.
    ['WAITS', String(WAITS)],
  ]);
  for (const [name, text] of texts) await writeFile(join(folder, textFile(name)), text);
  await writeFile(join(folder, 'ours.capnp'), workerdConfig(compatibility, [...texts.keys()]));
  const file = join(folder, 'both.capnp');
  await writeFile(file, bothConfig(compatibility.date, barePort));
  return file;
}

/** The services and the socket that `workerdConfig` has, under the same names, and the bare ones. */
function bothConfig(compatibilityDate: string, barePort: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
using Ours = import "ours.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = Ours.main),
    (name = "bare", worker = .bare),
    (name = "charts", disk = ()),
    (name = "data", disk = (writable = true)),
  ],
  sockets = [
    (name = "http", http = (), service = "main"),
    (name = "bare", address = "${HOST}:${barePort}", http = (), service = "bare"),
  ],
);

const bare :Workerd.Worker = (
  modules = [(name = "${BARE_FILE}", esModule = embed "${BARE_FILE}")],
  compatibilityDate = "${compatibilityDate}",
  bindings = [(name = "OBJECTS", durableObjectNamespace = "Bare")],
  durableObjectNamespaces = [(className = "Bare", uniqueKey = "bare", enableSql = true)],
  durableObjectStorage = (localDisk = "data"),
);
`;
}

/** @returns a port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen({ host: HOST, port: 0 }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
