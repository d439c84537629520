/** `deploy`: checks the charts, and deploys the Worker with them by wrangler. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT, formatAddress } from '../address.ts';
import { PACKAGE_ROOT } from './bundle.ts';
import { type ChartFile, readCharts } from './chart-files.ts';
import { DONE, errorCode, type Result, refuse, refuseLines, shown } from './result.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

export const help = `usage: npm run deploy -- [--chart FILE] [--charts DIR] [flags of wrangler deploy]

Checks the charts, copies them to a temporary folder, and runs wrangler deploy with that folder as the assets. Exactly the
charts that were checked are deployed.

  --chart FILE    the chart at /state, instead of DIR/default.yaml. It also empties the variable CHART, which would take
                  precedence
  --charts DIR    a folder of charts: DIR/default.yaml is at /state,
                  DIR/acme/release.yaml at /acme/release/state   (default: charts of the package)

All other flags are those of wrangler deploy. A deploy replaces the charts of the deploy before: give the same --chart and
--charts each time.

examples:
  npm run deploy -- --chart states.yaml
  npm run deploy -- --chart states.yaml --dry-run
  npm run deploy -- --charts /etc/stateservice --env test`;

/** The flags of `deploy`. Paths are absolute. */
interface DeployFlags {
  readonly chart: string | undefined;
  readonly charts: string;
  /** The arguments for wrangler. */
  readonly others: readonly string[];
}

export async function run(args: string[]): Promise<Result<void>> {
  const flags = readDeployFlags(args);
  if (!flags.ok) return flags;
  const { chart, charts: folder, others } = flags.value;
  const found = await readCharts(folder, chart, 'deployed');
  if (!found.ok) return found;
  const { charts, warnings } = found.value;
  for (const line of warnings) console.error(line);
  const wrangler = wranglerScript();
  if (!wrangler.ok) return wrangler;
  for (const { address, file } of charts) {
    console.log(`${address === DEFAULT ? '/state' : `/${formatAddress(address)}/state`}  ${shown(file)}`);
  }
  return inTemporaryFolder(async (staged) => {
    await stageCharts(staged, charts);
    return runWrangler(wrangler.value, wranglerArguments(staged, chart !== undefined, others));
  });
}

/** Splits the arguments into those of `deploy` and those of wrangler. */
export function readDeployFlags(args: string[]): Result<DeployFlags> {
  const own: Record<string, string> = {};
  const taken = new Set<number>();
  const options = { chart: { type: 'string' }, charts: { type: 'string' } } as const;
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, index, inlineValue } = token;
    if (name === 'assets') return refuse('--assets is set by deploy; use --charts for a folder', 'usage');
    if (!Object.hasOwn(options, name)) continue;
    if (!value) return refuse(`${rawName} needs a value`, 'usage');
    own[name] = value;
    taken.add(index);
    if (!inlineValue) taken.add(index + 1);
  }
  const others = args.filter((_, i) => !taken.has(i));
  if (own.chart !== undefined && others.some((arg) => /^(--var=)?CHART:/.test(arg))) {
    return refuse('--chart and --var CHART: both set the chart of /state; use one of them', 'usage');
  }
  const charts = resolve(own.charts ?? join(PACKAGE_ROOT, 'charts'));
  return { ok: true, value: { chart: own.chart && resolve(own.chart), charts, others } };
}

/** Writes charts as the Worker reads them from its assets: `default.yaml`, `acme/release.yaml`. */
export async function stageCharts(folder: string, charts: readonly ChartFile[]): Promise<void> {
  for (const { address, bytes } of charts) {
    const file = join(folder, `${formatAddress(address)}.yaml`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}

/**
 * @param staged the folder of assets: the flag replaces `directory` of wrangler.toml's `[assets]`, and keeps the rest.
 * @param hasChart whether the variable CHART of an earlier deploy is emptied: `keep_vars` would keep it, and it takes
 * precedence over `default.yaml`.
 */
function wranglerArguments(staged: string, hasChart: boolean, others: readonly string[]): string[] {
  return ['deploy', '--assets', staged, ...others, ...(hasChart ? ['--var', 'CHART:'] : [])];
}

/** @returns the path of wrangler's script. wrangler is a development dependency: `npm ci` in a clone installs it. */
function wranglerScript(): Result<string> {
  try {
    const manifest = createRequire(import.meta.url).resolve('wrangler/package.json');
    return { ok: true, value: join(dirname(manifest), 'bin/wrangler.js') };
  } catch (error) {
    if (errorCode(error) !== 'MODULE_NOT_FOUND') throw error;
    return refuse('wrangler is not installed; run npm ci in a clone of the repository');
  }
}

/** Runs wrangler in the package's folder, where its wrangler.toml is. Refuses with wrangler's own exit code. */
async function runWrangler(script: string, args: readonly string[]): Promise<Result<void>> {
  const child = spawn(process.execPath, [script, ...args], { cwd: PACKAGE_ROOT, stdio: 'inherit' });
  // The terminal sends SIGINT to wrangler too; this process stays, to remove the temporary folder.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('exit', done);
  });
  process.off('SIGINT', ignore);
  return code === 0 ? DONE : { ...refuseLines([]), exitCode: code ?? 1 };
}
