/** `serve`: charts in, a running server out, until it is told to stop. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, DEFAULT, formatAddress } from '../address.ts';
import { bundleWorker, PACKAGE_ROOT } from './bundle.ts';
import type { ChartFile } from './chart-files.ts';
import { readCompatibility, textFile, WORKER_FILE, workerdConfig } from './config.ts';
import { readDescriptors } from './descriptors.ts';
import { checkPort, hostAndPort, isLoopback, type Listen } from './listen.ts';
import { LOCK_FILE, lockFolder } from './lock.ts';
import { DONE, type Outcome, type Refusal, reasonOf, refuse, shown } from './outcome.ts';
import { onParentEnd } from './parent.ts';
import { makePrivate, PRIVATE_UMASK } from './private.ts';
import { openerOf } from './processes.ts';
import { readServeFlags, SERVE_HELP, type ServeFlags } from './serve-flags.ts';
import { superviseWorkerd } from './supervise.ts';
import { keepSweeping, sweepEmptyObjects } from './sweep.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

export const help = SERVE_HELP;

/** Serves until a signal, or the end of npm. Refused: wrong flags or charts, no port, a workerd that cannot be started. */
export async function run(args: string[]): Promise<Outcome<void>> {
  const stopping = stopSignal();
  const flags = readServeFlags(args, process.env);
  if (!flags.ok) return flags;
  for (const note of flags.value.notes) console.error(note);
  const { listen, isOpen } = flags.value;

  const taken = await checkPort(listen);
  if (taken !== undefined) return taken;
  const prepared = await prepare(flags.value);
  if (!prepared.ok) return stopping.aborted ? DONE : prepared;
  const { charts, files } = prepared.value;
  const first = await start(files, flags.value, listen, stopping);
  // Told to stop before it was up: that it is not up is then no failure.
  if (!first.ok) return stopping.aborted ? DONE : first;
  const bound = { ...listen, port: first.value.port };
  announce(bound, isOpen, charts);
  return superviseWorkerd(first.value, () => start(files, flags.value, bound, stopping), stopping);
}

/** Aborts at the first signal. Further ones change nothing: npm sends a second SIGINT after the terminal's own. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, abort);
  onParentEnd(process.env, abort);
  return controller.signal;
}

/** What workerd reads when it starts, by the names of the files. Kept, so that it can be started again. */
type Files = ReadonlyMap<string, string | Uint8Array>;

interface Prepared {
  readonly charts: readonly ChartFile[];
  readonly files: Files;
}

/** Checks the charts, bundles the Worker, and takes the data folder. */
async function prepare({
  chart,
  charts: folder,
  data,
  isOpen,
  allowedHosts,
}: ServeFlags): Promise<Outcome<Prepared>> {
  // esbuild is a process of its own: it works while this one loads and runs the code that reads charts.
  const [bundled, found] = await Promise.all([
    bundle(),
    import('./chart-files.ts').then(({ readCharts }) => readCharts(folder, chart)),
  ]);
  if (!found.ok) return found;
  if (!bundled.ok) return bundled;
  const { charts, warnings } = found.value;
  for (const line of warnings) console.error(line);

  // Only --chart is bound. The folder's default.yaml is read by the Worker: an edit is seen without a restart.
  const own = chart === undefined ? undefined : charts.find(({ address }) => address === DEFAULT);
  const { waits, warning } = await readDescriptors();
  const access = isOpen ? { AUTH: 'open', ALLOWED_HOSTS: allowedHosts.join() } : { AUTH: 'token' };
  const configured = await configure({ ...access, WAITS: String(waits) }, own?.bytes);
  if (!configured.ok) return configured;
  // Not before the charts are known to be right: a mistyped command shall leave nothing behind.
  const unclaimed = await claimFolder(data);
  if (unclaimed !== undefined) return unclaimed;
  // Not before the last refusal: a server that does not start has no use for it.
  if (warning !== undefined) console.error(warning);
  await sweepEmptyObjects(data);
  return { ok: true, value: { charts, files: new Map([...configured.value, [WORKER_FILE, bundled.value]]) } };
}

/** Starts workerd with its files in a temporary folder: it reads them at the start only. */
function start(
  files: Files,
  { charts, data }: ServeFlags,
  listen: Listen,
  stopping: AbortSignal,
): Promise<Outcome<Workerd>> {
  return inTemporaryFolder(async (folder) => {
    for (const [name, content] of files) await writeFile(join(folder, name), content);
    const workerd = await startWorkerd(join(folder, CONFIG_FILE), { charts, data }, listen, stopping);
    if (workerd.ok) void keepSweeping(data, workerd.value);
    return workerd;
  });
}

const CONFIG_FILE = 'config.capnp';

/** @returns the Worker's script. */
function bundle(): Promise<Outcome<Uint8Array>> {
  return inTemporaryFolder(async (folder) => {
    const file = join(folder, WORKER_FILE);
    const bundled = await bundleWorker(file);
    return bundled.ok ? { ok: true, value: await readFile(file) } : bundled;
  });
}

async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'stateservice-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Creates the data folder where there is none, for its owner alone, and takes it for this process. @returns why it cannot. */
async function claimFolder(data: string): Promise<Refusal | undefined> {
  try {
    process.umask(PRIVATE_UMASK);
    await mkdir(data, { recursive: true });
    if (lockFolder(data)) {
      if (!(await makePrivate(data))) {
        console.error(`stateservice: other users may read ${shown(data)}; its owner can change that`);
      }
      return undefined;
    }
    const holder = await openerOf(join(data, LOCK_FILE));
    const who = holder === undefined ? '' : `, process ${holder.pid},`;
    return refuse(`another server${who} keeps its machines in ${shown(data)}`);
  } catch (error) {
    return refuse(`cannot keep machines in ${shown(data)}: ${reasonOf(error)}`);
  }
}

/**
 * @param variables bindings that are text, and `chart`, the bytes of the CHART binding.
 * @returns the configuration, and the values that it embeds.
 */
async function configure(
  variables: Readonly<Record<string, string>>,
  chart: Uint8Array | undefined,
): Promise<Outcome<Files>> {
  const compatibility = readCompatibility(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  if (compatibility === undefined) return refuse('wrangler.toml has no compatibility_date');
  const texts = new Map<string, string | Uint8Array>(Object.entries(variables));
  if (chart !== undefined) texts.set('CHART', chart);
  const files = new Map([...texts].map(([name, text]) => [textFile(name), text]));
  return { ok: true, value: files.set(CONFIG_FILE, workerdConfig(compatibility, [...texts.keys()])) };
}

function announce(listen: Listen, isOpen: boolean, charts: readonly ChartFile[]): void {
  const rows = charts.map(({ address, file }) => [formatAddress(address), shown(file), pathOf(address)]);
  // In one write: who waits for the first line has them all.
  console.log([`StateService listens on http://${hostAndPort(listen)}`, ...aligned(rows)].join('\n  '));
  if (rows.length === 0) console.error('stateservice: there is no chart yet');
  if (!isOpen) console.error('stateservice: requests need a token; npm run token makes one');
  else {
    const who = isLoopback(listen.host) ? 'whoever is on this machine' : `whoever reaches ${listen.host}`;
    console.error(`stateservice: ${who} may read and change every machine; TOKEN_SECRET asks for tokens`);
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
