/** `serve`: charts in, a running server out, until it is told to stop. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, DEFAULT, formatAddress } from '../address.ts';
import { bundleWorker, PACKAGE_ROOT } from './bundle.ts';
import type { ChartFile } from './charts.ts';
import { readCompatibility, textFile, WORKER_FILE, workerdConfig } from './config.ts';
import { checkPort, hostAndPort, isLoopback, type Listen } from './listen.ts';
import { lockFolder } from './lock.ts';
import { DONE, type Outcome, type Refusal, reasonOf, refuse, shown } from './outcome.ts';
import { readServeFlags, SERVE_HELP, type ServeFlags } from './serve-flags.ts';
import { sweepEmptyObjects } from './sweep.ts';
import { startWorkerd, type Workerd } from './workerd.ts';

export const help = SERVE_HELP;

/** Serves until SIGINT, SIGTERM or SIGHUP. Refused: wrong flags or charts, no port, and a server that died by itself. */
export async function run(args: string[]): Promise<Outcome<void>> {
  const stopping = stopSignal();
  const flags = readServeFlags(args, process.env);
  if (!flags.ok) return flags;
  for (const note of flags.value.notes) console.error(note);
  const { listen, isOpen } = flags.value;

  const taken = await checkPort(listen);
  if (taken !== undefined) return taken;
  const started = await start(flags.value, stopping);
  // Told to stop before it was up: that it is not up is then no failure.
  if (!started.ok) return stopping.aborted ? DONE : started;
  const { workerd, charts } = started.value;
  announce({ ...listen, port: workerd.port }, isOpen, charts);
  return untilStopped(workerd, stopping);
}

/** Aborts at the first signal. Further ones change nothing: npm sends a second SIGINT after the terminal's own. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => controller.abort());
  return controller.signal;
}

/** Checks the charts, writes what workerd needs to a temporary folder, and starts it. */
async function start(
  { chart, charts: folder, data, listen, isOpen }: ServeFlags,
  stopping: AbortSignal,
): Promise<Outcome<{ workerd: Workerd; charts: readonly ChartFile[] }>> {
  const temporary = await mkdtemp(join(tmpdir(), 'stateservice-'));
  try {
    // esbuild is a process of its own: it works while this one loads and runs the code that reads charts.
    const [bundled, found] = await Promise.all([
      bundleWorker(join(temporary, WORKER_FILE)),
      import('./charts.ts').then(({ readCharts }) => readCharts(folder, chart)),
    ]);
    if (!found.ok) return found;
    if (!bundled.ok) return bundled;
    const { charts, warnings } = found.value;
    for (const line of warnings) console.error(line);

    // Only --chart is bound. The folder's default.yaml is read by the Worker: an edit is seen without a restart.
    const own = chart === undefined ? undefined : charts.find(({ address }) => address === DEFAULT);
    const configured = await writeConfig(temporary, isOpen, own?.bytes);
    if (!configured.ok) return configured;
    // Not before the charts are known to be right: a mistyped command shall leave nothing behind.
    const unclaimed = await claimFolder(data);
    if (unclaimed !== undefined) return unclaimed;
    await sweepEmptyObjects(data);
    const started = await startWorkerd(configured.value, { charts: folder, data }, listen, stopping);
    return started.ok ? { ok: true, value: { workerd: started.value, charts } } : started;
  } finally {
    // workerd reads its configuration at the start only.
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Creates the data folder where there is none, and takes it for this process. @returns why it cannot. */
async function claimFolder(data: string): Promise<Refusal | undefined> {
  try {
    await mkdir(data, { recursive: true });
    return lockFolder(data) ? undefined : refuse(`another server keeps its machines in ${shown(data)}`);
  } catch (error) {
    return refuse(`cannot keep machines in ${shown(data)}: ${reasonOf(error)}`);
  }
}

/** @param chart the bytes of the CHART binding. @returns the configuration's file, everything it embeds beside it. */
async function writeConfig(
  folder: string,
  isOpen: boolean,
  chart: Uint8Array | undefined,
): Promise<Outcome<string>> {
  const compatibility = readCompatibility(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  if (compatibility === undefined) return refuse('wrangler.toml has no compatibility_date');
  const texts = new Map<string, string | Uint8Array>([['AUTH', isOpen ? 'open' : 'token']]);
  if (chart !== undefined) texts.set('CHART', chart);
  for (const [name, text] of texts) await writeFile(join(folder, textFile(name)), text);
  const file = join(folder, 'config.capnp');
  await writeFile(file, workerdConfig(compatibility, [...texts.keys()]));
  return { ok: true, value: file };
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

async function untilStopped(workerd: Workerd, stopping: AbortSignal): Promise<Outcome<void>> {
  const told = new Promise<'told'>((resolve) => {
    if (stopping.aborted) resolve('told');
    stopping.addEventListener('abort', () => resolve('told'), { once: true });
  });
  const end = await Promise.race([told, workerd.ended]);
  if (end !== 'told') return refuse(`workerd ended by itself: ${end}`);
  await workerd.stop();
  return DONE;
}
