/**
 * The configuration that `workerd serve` reads: what wrangler.toml is to a deploy, for a server of one's own.
 *
 * Pure. No value from outside is ever spelled in the text: charts and variables are files that it embeds, paths and
 * addresses are arguments of the workerd process (`workerdArguments`). So there is nothing to escape, and no chart
 * can break out of a string.
 */

/**
 * The Durable Object classes, each with the binding it is reached by. wrangler.toml names the same
 * (`[[durable_objects.bindings]]`); a test compares them.
 */
export const OBJECTS = [
  { binding: 'MACHINES', className: 'Machine' },
  { binding: 'TENANTS', className: 'Tenant' },
] as const;

/** Bindings that workerd takes from its environment, so that no secret is written to a file; null where not set. */
const FROM_ENVIRONMENT = ['TOKEN_SECRET', 'TOKEN_SECRET_PREVIOUS', 'CORS_ORIGINS', 'LOG'] as const;

/** The bundled Worker: a file beside the configuration, which embeds it. */
export const WORKER_FILE = 'worker.js';

/** @returns the file beside the configuration that has the value of a text binding. */
export function textFile(binding: string): string {
  return `${binding}.txt`;
}

export interface Compatibility {
  /** `YYYY-MM-DD` */
  date: string;
  flags: string[];
}

/**
 * Reads the compatibility settings of a wrangler.toml, so that this server and a deploy cannot differ.
 *
 * @returns undefined if it has no `compatibility_date`
 */
export function readCompatibility(wranglerToml: string): Compatibility | undefined {
  const date = /^compatibility_date\s*=\s*["'](\d{4}-\d{2}-\d{2})["']/m.exec(wranglerToml)?.[1];
  if (date === undefined) return undefined;
  const list = /^compatibility_flags\s*=\s*\[([^\]]*)\]/m.exec(wranglerToml)?.[1] ?? '';
  const flags = [...list.matchAll(/["'](\w+)["']/g)].map((match) => match[1] ?? '');
  return { date, flags };
}

/**
 * @param texts names of the bindings that are text; the value of each is in `textFile(name)`
 * @returns Cap'n Proto text, see node_modules/workerd/workerd.capnp
 */
export function workerdConfig(compatibility: Compatibility, texts: string[]): string {
  const namespaces = OBJECTS.map(
    ({ className }) =>
      // uniqueKey is the folder's name in --data and part of every object's id: it must never change.
      `(className = "${className}", uniqueKey = "stateservice-${className}", enableSql = true)`,
  );
  const bindings = [
    ...OBJECTS.map((it) => `(name = "${it.binding}", durableObjectNamespace = "${it.className}")`),
    `(name = "CHARTS", service = "charts")`,
    ...FROM_ENVIRONMENT.map((name) => `(name = "${name}", fromEnvironment = "${name}")`),
    ...texts.map((name) => `(name = "${name}", text = embed "${textFile(name)}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "charts", disk = ()),
    (name = "data", disk = (writable = true)),
  ],
  sockets = [(name = "http", http = (forwardedProtoHeader = "X-Forwarded-Proto"), service = "main")],
);

const main :Workerd.Worker = (
  modules = [(name = "${WORKER_FILE}", esModule = embed "${WORKER_FILE}")],
  compatibilityDate = "${compatibility.date}",
  compatibilityFlags = [${compatibility.flags.map((flag) => `"${flag}"`).join(', ')}],
  bindings = [
    ${bindings.join(',\n    ')},
  ],
  durableObjectNamespaces = [
    ${namespaces.join(',\n    ')},
  ],
  durableObjectStorage = (localDisk = "data"),
);
`;
}

/** Absolute paths of the two folders that workerd sees. */
export interface Folders {
  /** Only read. */
  readonly charts: string;
  readonly data: string;
}

/**
 * The arguments of the `workerd` binary for a configuration of `workerdConfig`.
 *
 * @param address `host:port`
 * @param controlFd where workerd reports, as a line of JSON, the port it listens on
 */
export function workerdArguments(
  configFile: string,
  folders: Folders,
  address: string,
  controlFd: number,
): string[] {
  return [
    'serve',
    configFile,
    `--socket-addr=http=${address}`,
    `--directory-path=charts=${folders.charts}`,
    `--directory-path=data=${folders.data}`,
    `--control-fd=${controlFd}`,
  ];
}
