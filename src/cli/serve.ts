/** `serve`: runs the Worker in workerd until a signal. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, DEFAULT, formatAddress } from '../address.ts';
import type { HookVariable } from '../hook.ts';
import { bundleWorker, PACKAGE_ROOT } from './bundle.ts';
import type { ChartFile } from './chart-files.ts';
import { readDescriptors } from './descriptors.ts';
import { makeDataDurable, makeDurableFolder } from './durable.ts';
import { checkPort, hostAndPort, isLoopback, type Listen } from './listen.ts';
import { LOCK_FILE, lockFolder } from './lock.ts';
import { onParentEnd } from './parent-process.ts';
import { makePrivate, PRIVATE_UMASK } from './permissions.ts';
import { openerOf } from './processes.ts';
import { DONE, type Result, reasonOf, refuse, shown } from './result.ts';
import { readServeFlags, SERVE_HELP, type ServeFlags } from './serve-flags.ts';
import { superviseWorkerd } from './supervise.ts';
import { keepSweeping, sweepEmptyObjects } from './sweep.ts';
import { inTemporaryFolder } from './temporary-folder.ts';
import { startWorkerd, type Workerd } from './workerd.ts';
import { readCompatibility, textFile, WORKER_FILE, workerdConfig } from './workerd-config.ts';

export const help = SERVE_HELP;

/** Serves until a signal or the end of npm. Refuses wrong flags, invalid charts, a port in use, and a failed start of workerd. */
export async function run(args: string[]): Promise<Result<void>> {
  const stopping = stopSignal();
  const flags = readServeFlags(args, process.env);
  if (!flags.ok) return flags;
  for (const note of flags.value.notes) console.error(note);
  const { listen, isOpen } = flags.value;

  const free = await checkPort(listen);
  if (!free.ok) return free;
  const prepared = await prepare(flags.value);
  if (!prepared.ok) return stopping.aborted ? DONE : prepared;
  const { charts, files } = prepared.value;
  const first = await start(files, flags.value, listen, stopping);
  // After a signal, a start that was not completed is not a failure.
  if (!first.ok) return stopping.aborted ? DONE : first;
  const bound = { ...listen, port: first.value.port };
  announce(bound, isOpen, charts);
  return superviseWorkerd(first.value, () => start(files, flags.value, bound, stopping), stopping);
}

/** Aborts at the first signal. Later ones are ignored: npm sends a second SIGINT after the terminal's own. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, abort);
  onParentEnd(process.env, abort);
  return controller.signal;
}

/** The files that workerd reads when it starts, by name. They are kept for a restart. */
type Files = ReadonlyMap<string, string | Uint8Array>;

interface Prepared {
  readonly charts: readonly ChartFile[];
  readonly files: Files;
}

/** Checks the charts, bundles the Worker, and locks the data folder. */
async function prepare({
  chart,
  charts: folder,
  data,
  isOpen,
  allowedHosts,
  hooks,
}: ServeFlags): Promise<Result<Prepared>> {
  // esbuild runs in its own process, while this one loads and runs the code that reads charts.
  const [bundled, found] = await Promise.all([
    bundle(),
    import('./chart-files.ts').then(({ readCharts }) => readCharts(folder, chart)),
  ]);
  if (!found.ok) return found;
  if (!bundled.ok) return bundled;
  const { charts, warnings } = found.value;
  for (const line of warnings) console.error(line);

  // Only --chart becomes the CHART binding. The Worker reads the folder's default.yaml itself, so an edit needs no restart.
  const own = chart === undefined ? undefined : charts.find(({ address }) => address === DEFAULT);
  const { waits, warning } = await readDescriptors();
  const access = isOpen ? { AUTH: 'open', ALLOWED_HOSTS: allowedHosts.join() } : { AUTH: 'token' };
  const configured = await configure(
    { ...access, WAITS: String(waits), LOCAL_HOOKS: 'yes' },
    own?.bytes,
    hooks,
  );
  if (!configured.ok) return configured;
  // After the charts are checked, so that a mistyped command creates no folder.
  const locked = await takeFolder(data);
  if (!locked.ok) return locked;
  // After the last refusal: it matters only for a server that starts.
  if (warning !== undefined) console.error(warning);
  await sweepEmptyObjects(data);
  return { ok: true, value: { charts, files: new Map([...configured.value, [WORKER_FILE, bundled.value]]) } };
}

/** Starts workerd with its files in a temporary folder, which it reads at its start only. */
function start(
  files: Files,
  { charts, data }: ServeFlags,
  listen: Listen,
  stopping: AbortSignal,
): Promise<Result<Workerd>> {
  return inTemporaryFolder(async (folder) => {
    const durable = await makeDataDurable(data);
    if (!durable.ok) return durable;
    for (const [name, content] of files) await writeFile(join(folder, name), content);
    const workerd = await startWorkerd(join(folder, CONFIG_FILE), { charts, data }, listen, stopping);
    if (workerd.ok) void keepSweeping(data, workerd.value);
    return workerd;
  });
}

const CONFIG_FILE = 'config.capnp';

/** @returns the Worker's script. */
function bundle(): Promise<Result<Uint8Array>> {
  return inTemporaryFolder(async (folder) => {
    const file = join(folder, WORKER_FILE);
    const bundled = await bundleWorker(file);
    return bundled.ok ? { ok: true, value: await readFile(file) } : bundled;
  });
}

/** Creates the data folder if necessary, restricts it to its owner, and locks it for this process. */
async function takeFolder(data: string): Promise<Result<void>> {
  try {
    process.umask(PRIVATE_UMASK);
    await makeDurableFolder(data);
    if (lockFolder(data)) {
      if (!(await makePrivate(data))) {
        console.error(`stateservice: other users may read ${shown(data)}; only its owner can change that`);
      }
      return DONE;
    }
    const holder = await openerOf(join(data, LOCK_FILE));
    const who = holder === undefined ? '' : `, process ${holder.pid},`;
    return refuse(`another server${who} uses the data folder ${shown(data)}`);
  } catch (error) {
    return refuse(`cannot use the data folder ${shown(data)}: ${reasonOf(error)}`);
  }
}

/**
 * @param variables text bindings
 * @param chart the bytes of the CHART binding
 * @param hooks variables of the environment that are bindings too
 * @returns the configuration, and the files that it embeds.
 */
async function configure(
  variables: Readonly<Record<string, string>>,
  chart: Uint8Array | undefined,
  hooks: readonly HookVariable[],
): Promise<Result<Files>> {
  const compatibility = readCompatibility(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  if (compatibility === undefined) return refuse('wrangler.toml has no compatibility_date');
  const texts = new Map<string, string | Uint8Array>(Object.entries(variables));
  if (chart !== undefined) texts.set('CHART', chart);
  const files = new Map([...texts].map(([name, text]) => [textFile(name), text]));
  return { ok: true, value: files.set(CONFIG_FILE, workerdConfig(compatibility, [...texts.keys()], hooks)) };
}

function announce(listen: Listen, isOpen: boolean, charts: readonly ChartFile[]): void {
  const rows = charts.map(({ address, file }) => [formatAddress(address), shown(file), pathOf(address)]);
  // One write, so that a reader that waits for the first line gets all of them.
  console.log([`StateService listens on http://${hostAndPort(listen)}`, ...aligned(rows)].join('\n  '));
  if (rows.length === 0) console.error('stateservice: there is no chart');
  if (!isOpen) console.error('stateservice: requests need a token; npm run token makes one');
  else {
    const who = isLoopback(listen.host)
      ? 'every program on this machine'
      : `every client that reaches ${listen.host}`;
    console.error(
      `stateservice: ${who} may read and change every machine; set TOKEN_SECRET to require tokens`,
    );
  }
}

function pathOf(address: Address): string {
  return address === DEFAULT ? '/state' : `/${formatAddress(address)}/state`;
}

/** Pads every column but the last to its longest cell. */
function aligned(rows: readonly string[][]): string[] {
  const widthOf = (column: number) => Math.max(...rows.map((row) => (row[column] ?? '').length));
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widthOf(column) + 2))).join(''),
  );
}
