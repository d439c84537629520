/**
 * Writes the configuration of `workerd serve`: the counterpart of wrangler.toml for a server without Cloudflare.
 *
 * Pure. The text contains no outside value but the names of hooks: charts and variables are files that it embeds, paths and addresses are
 * arguments of the workerd process (`workerdArguments`). So nothing has to be escaped.
 */

/**
 * The Durable Object classes and their bindings. A test compares them with wrangler.toml
 * (`[[durable_objects.bindings]]`).
 */
export const OBJECTS = [
  { binding: 'MACHINES', className: 'Machine' },
  { binding: 'TENANTS', className: 'Tenant' },
] as const;

/**
 * @returns the key of a class's namespace: the name of its folder in --data, and part of every object's id. It must never
 * change.
 */
export function objectsFolder(className: string): string {
  return `stateservice-${className}`;
}

/** Bindings that workerd reads from its environment, so that no secret is written to a file; null where not set. */
const FROM_ENVIRONMENT = ['TOKEN_SECRET', 'TOKEN_SECRET_PREVIOUS', 'OIDC', 'CORS_ORIGINS', 'LOG'] as const;

/**
 * What `fetch` reaches: public addresses, which is workerd's default, and private ones, where a company has servers of its
 * own. All addresses that the Worker fetches come from the operator's variables. Link-local ones are left out: clouds
 * answer there with credentials of the host.
 */
const OUTBOUND =
  '(name = "internet", network = (allow = ["public", "private"], deny = ["169.254.0.0/16", "fe80::/10"], tlsOptions = (trustBrowserCas = true)))';

/** The file of the bundled Worker, beside the configuration that embeds it. */
export const WORKER_FILE = 'worker.js';

/** @returns the name of the file with the value of a text binding, beside the configuration. */
export function textFile(binding: string): string {
  return `${binding}.txt`;
}

export interface Compatibility {
  /** `YYYY-MM-DD` */
  date: string;
  flags: string[];
}

/**
 * Reads the compatibility settings of a wrangler.toml, so that a local server and a deploy have the same.
 *
 * @returns undefined where there is no `compatibility_date`
 */
export function readCompatibility(wranglerToml: string): Compatibility | undefined {
  const date = /^compatibility_date\s*=\s*["'](\d{4}-\d{2}-\d{2})["']/m.exec(wranglerToml)?.[1];
  if (date === undefined) return undefined;
  const list = /^compatibility_flags\s*=\s*\[([^\]]*)\]/m.exec(wranglerToml)?.[1] ?? '';
  const flags = [...list.matchAll(/["'](\w+)["']/g)].map((match) => match[1] ?? '');
  return { date, flags };
}

/**
 * @param texts names of text bindings; the value of each is in `textFile(name)`
 * @param variables names of further bindings that workerd reads from its environment; letters, digits and `_`
 * @returns Cap'n Proto text, see node_modules/workerd/workerd.capnp
 */
export function workerdConfig(
  compatibility: Compatibility,
  texts: readonly string[],
  variables: readonly string[] = [],
): string {
  const namespaces = OBJECTS.map(
    ({ className }) =>
      `(className = "${className}", uniqueKey = "${objectsFolder(className)}", enableSql = true)`,
  );
  const bindings = [
    ...OBJECTS.map((it) => `(name = "${it.binding}", durableObjectNamespace = "${it.className}")`),
    `(name = "CHARTS", service = "charts")`,
    ...[...FROM_ENVIRONMENT, ...variables].map((name) => `(name = "${name}", fromEnvironment = "${name}")`),
    ...texts.map((name) => `(name = "${name}", text = embed "${textFile(name)}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "charts", disk = ()),
    (name = "data", disk = (writable = true)),
    ${OUTBOUND},
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

/** Absolute paths of the folders that workerd can access. */
export interface Folders {
  /** Read-only. */
  readonly charts: string;
  readonly data: string;
}

/**
 * @returns the arguments of the `workerd` binary for a configuration of `workerdConfig`.
 *
 * @param address `host:port`
 * @param controlFd the descriptor on which workerd reports its port, as a line of JSON
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
