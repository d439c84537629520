/** Starts edges in one workerd process and their objects in another, with a `Link` between them. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundleWorker, PACKAGE_ROOT } from '../../../src/cli/bundle.ts';
import { startWorkerd, type Workerd } from '../../../src/cli/workerd.ts';
import {
  type Compatibility,
  OBJECTS,
  readCompatibility,
  textFile,
  WORKER_FILE,
} from '../../../src/cli/workerd-config.ts';
import { unwrap } from '../../unwrap.ts';
import { Link } from './link.ts';

/** A version of the service: its bundle, and the compatibility settings that it is deployed with. */
export interface Version {
  /** The file of the bundled Worker. */
  readonly worker: string;
  readonly compatibility: Compatibility;
}

export interface AwayOptions {
  /** Where everything is written. */
  readonly folder: string;
  readonly charts: Readonly<Record<string, string>>;
  readonly edge: Version;
  readonly objects: Version;
  /** How many edges there are, each an isolate with a connection of its own. Default: 1. */
  readonly edges?: number;
}

/** Edges that are away from their objects. */
export interface Away {
  /** `http://host:port` of each edge. */
  readonly edges: readonly string[];
  readonly link: Link;
  /** The process of the objects, asked directly, over no link. */
  readonly direct: string;
  /** Kills the process of the objects with SIGKILL, and starts another one. @param whileDown is called between. */
  kill(whileDown?: () => Promise<void>): Promise<void>;
  /** Stops the process of the objects, and starts another one, as a deploy does. */
  deploy(objects: Version): Promise<void>;
  stop(): Promise<void>;
}

/** Bundles the Worker of this working tree, if the run of the tests has not. */
export async function presentVersion(folder: string): Promise<Version> {
  const bundled = process.env.BUNDLED_WORKER;
  const worker = bundled ?? join(folder, WORKER_FILE);
  if (bundled === undefined) unwrap(await bundleWorker(worker));
  return { worker, compatibility: await compatibilityOf(PACKAGE_ROOT) };
}

/** Reads the compatibility settings of a source tree. */
export async function compatibilityOf(tree: string): Promise<Compatibility> {
  const compatibility = readCompatibility(await readFile(join(tree, 'wrangler.toml'), 'utf8'));
  if (compatibility === undefined) throw new Error(`${tree}/wrangler.toml has no compatibility_date`);
  return compatibility;
}

/** Starts both processes and the link. */
export async function startAway({ folder, charts, edge, objects, edges = 1 }: AwayOptions): Promise<Away> {
  const folders = { charts: join(folder, 'charts'), data: join(folder, 'data') };
  for (const path of Object.values(folders)) await mkdir(path, { recursive: true });
  for (const [address, text] of Object.entries(charts)) {
    await mkdir(resolve(folders.charts, address, '..'), { recursive: true });
    await writeFile(join(folders.charts, `${address}.yaml`), text);
  }
  const rpc = await freePort();
  const direct = await freePort();
  const ports = await Promise.all(Array.from({ length: edges }, freePort));
  const link = await Link.open(rpc);
  const start = async (configFile: string, port: number) => {
    const listen = { host: HOST, port };
    const { signal } = new AbortController();
    return unwrap(await startWorkerd(configFile, folders, listen, signal, ['--experimental']));
  };
  const running: Workerd[] = [];
  const startObjects = async (version: Version) => {
    running[0] = await start(await writeConfig(folder, 'objects', version, objectsConfig(rpc)), direct);
  };
  let present = objects;
  await startObjects(present);
  const [first = 0] = ports;
  running[1] = await start(await writeConfig(folder, 'edge', edge, edgeConfig(link.port, ports)), first);
  return {
    edges: ports.map((port) => `http://${HOST}:${port}`),
    link,
    direct: `http://${HOST}:${direct}`,
    async kill(whileDown) {
      const [killed] = running;
      if (killed?.pid !== undefined) process.kill(killed.pid, 'SIGKILL');
      await killed?.ended;
      await whileDown?.();
      await startObjects(present);
    },
    async deploy(version) {
      await running[0]?.stop();
      present = version;
      await startObjects(version);
    },
    async stop() {
      await Promise.all(running.map((workerd) => workerd.stop()));
      await link.close();
    },
  };
}

const HOST = '127.0.0.1';

type Kind = 'edge' | 'objects';

/** Writes the configuration of a process, and what it embeds beside it. @returns its file. */
async function writeConfig(
  folder: string,
  kind: Kind,
  { worker, compatibility }: Version,
  config: (worker: string) => string,
): Promise<string> {
  const into = join(folder, kind);
  await mkdir(into, { recursive: true });
  await cp(worker, join(into, WORKER_FILE));
  await bundleEntry(kind, join(into, ENTRY_FILE));
  for (const [name, text] of Object.entries(TEXTS)) await writeFile(join(into, textFile(name)), text);
  const file = join(into, `${kind}.capnp`);
  await writeFile(file, config(workerFields(compatibility)));
  return file;
}

/** The module that imports the service from `WORKER_FILE`. */
const ENTRY_FILE = 'entry.js';

/** As `npm start -- --auth open`. */
const TEXTS = { AUTH: 'open', WAITS: '16384' };

/** Bundles an entry of this folder without the service, which is a module of its own, of any version. */
async function bundleEntry(kind: Kind, outfile: string): Promise<void> {
  const service: Plugin = {
    name: 'service',
    setup: ({ onResolve }) =>
      onResolve({ filter: /\/src\/index\.ts$/ }, () => ({ path: `./${WORKER_FILE}`, external: true })),
  };
  const entryPoints = [join(import.meta.dirname, `${kind}.worker.ts`)];
  const external = ['cloudflare:*'];
  await build({ entryPoints, outfile, bundle: true, format: 'esm', external, plugins: [service] });
}

/** The fields that the Workers of both processes share. */
function workerFields({ date, flags }: Compatibility): string {
  return `
  modules = [
    (name = "${ENTRY_FILE}", esModule = embed "${ENTRY_FILE}"),
    (name = "${WORKER_FILE}", esModule = embed "${WORKER_FILE}"),
  ],
  compatibilityDate = "${date}",
  compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(', ')}],`;
}

const SHARED_BINDINGS = `
    (name = "CHARTS", service = "charts"),
    ${Object.keys(TEXTS)
      .map((name) => `(name = "${name}", text = embed "${textFile(name)}")`)
      .join(', ')},`;

const DISKS = '(name = "charts", disk = ()), (name = "data", disk = (writable = true))';

/** A connection of Cap'n Proto's RPC begins with a CONNECT request for this name. */
const RPC = 'http = (capnpConnectHost = "rpc.internal")';

const NAMESPACES = [...OBJECTS, { binding: 'BARE', className: 'Bare' }];

/** @param rpc the port for edges. */
function objectsConfig(rpc: number) {
  return (fields: string) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), ${DISKS}],
  sockets = [
    (name = "http", http = (), service = "main"),
    (name = "rpc", address = "${HOST}:${rpc}", ${RPC}, service = (name = "main", entrypoint = "Objects")),
  ],
);
const main :Workerd.Worker = (${fields}
  durableObjectNamespaces = [
    ${NAMESPACES.map(({ className }) => `(className = "${className}", uniqueKey = "${className}", enableSql = true)`).join(', ')},
  ],
  durableObjectStorage = (localDisk = "data"),
  bindings = [${SHARED_BINDINGS}
    ${NAMESPACES.map((it) => `(name = "${it.binding}", durableObjectNamespace = "${it.className}")`).join(', ')},
  ],
);
`;
}

/** @param ports of the edges; that of the first is an argument of the process. */
function edgeConfig(link: number, ports: readonly number[]) {
  const numbered = ports.map((port, i) => ({ port, i }));
  return (fields: string) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${DISKS},
    ${numbered.map(({ i }) => `(name = "edge-${i}", worker = .edge${i}), (name = "objects-${i}", external = (address = "${HOST}:${link}", ${RPC}))`).join(',\n    ')},
  ],
  sockets = [
    ${numbered.map(({ port, i }) => `(name = "http${i || ''}", address = "${HOST}:${port}", http = (), service = "edge-${i}")`).join(',\n    ')},
  ],
);
${numbered
  .map(
    ({ i }) => `const edge${i} :Workerd.Worker = (${fields}
  bindings = [${SHARED_BINDINGS} (name = "OBJECTS", service = "objects-${i}")],
);`,
  )
  .join('\n')}
`;
}

const given = new Set<number>();

/** @returns a port that was free a moment ago, none of those that the system gives out by itself (Linux: from 32768). */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false)).listen({ host: HOST, port }, () => done(true));
    });
    if (isFree) return new Promise((done) => server.close(() => done(port)));
  }
}
