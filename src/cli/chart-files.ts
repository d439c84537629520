import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, DEFAULT, formatAddress, parseAddress } from '../address.ts';
import { type Chart, type ChartIssue, readChart } from '../chart/chart.ts';
import { errorPath, type Result, reasonOf, refuse, refuseLines, shown } from './result.ts';

/** A valid chart. */
export interface ChartFile {
  readonly address: Address;
  readonly file: string;
  /** The content of the file. */
  readonly bytes: Uint8Array;
}

export interface Findings {
  /** `default` first, then by address. */
  readonly charts: readonly ChartFile[];
  /** Complete lines for stderr. */
  readonly warnings: readonly string[];
}

/** A file to read as a chart. */
interface Candidate {
  readonly address: Address;
  readonly file: string;
}

const SUFFIX = '.yaml';

/**
 * Reads and checks all charts of a folder, so that an invalid chart is found before the first request.
 *
 * @param folder `default.yaml` is the chart `default`, `TENANT/CHART.yaml` is `TENANT/CHART`
 * @param chart the file for `default`, instead of the folder's
 * @param aim what the charts are read for: `served`, `deployed`
 * @returns a refusal with every unreadable file, and every error of every invalid chart as
 * `file:line:column: path: message`.
 */
export async function readCharts(
  folder: string,
  chart: string | undefined,
  aim = 'served',
): Promise<Result<Findings>> {
  const warnings: string[] = [];
  const candidates: Candidate[] = [];
  try {
    candidates.push(...(await listFolder(folder, warnings)));
  } catch (error) {
    return refuse(`cannot read the folder ${shown(errorPath(error) ?? folder)}: ${reasonOf(error)}`);
  }
  if (chart !== undefined) candidates.push({ address: DEFAULT, file: chart });

  const charts = new Map<string, ChartFile>();
  const errors: string[] = [];
  const invalid = new Set<string>();
  for (const { address, file } of candidates) {
    const read = await readBytesOf(file);
    if (!read.ok) return read;
    const bytes = read.value;
    const reading = readBytes(bytes);
    warnings.push(...reading.warnings.map((issue) => located(file, issue, 'warning: ')));
    if (reading.ok) {
      charts.set(formatAddress(address), { address, file, bytes });
    } else {
      invalid.add(shown(file));
      errors.push(...reading.errors.map((issue) => located(file, issue)));
    }
  }
  if (invalid.size > 0) {
    const verdict = `${[...invalid].join(', ')} ${invalid.size === 1 ? 'is' : 'are'} invalid; nothing is ${aim}`;
    return refuseLines([...warnings, ...errors, ...refuse(verdict).lines]);
  }
  return { ok: true, value: { charts: [...charts.values()].sort(byAddress), warnings } };
}

/** Reads one chart. @returns a refusal with the reason for an unreadable file, or with every error of the chart. */
export async function readChartFile(file: string): Promise<Result<Chart>> {
  const bytes = await readBytesOf(file);
  if (!bytes.ok) return bytes;
  const reading = readBytes(bytes.value);
  if (reading.ok) return { ok: true, value: reading.chart };
  return refuseLines(reading.errors.map((issue) => located(file, issue)));
}

export async function readBytesOf(file: string): Promise<Result<Uint8Array>> {
  try {
    return { ok: true, value: await readFile(file) };
  } catch (error) {
    return refuse(`cannot read ${shown(file)}: ${reasonOf(error)}`);
  }
}

/** Lists the charts of a folder. Adds a warning for each file that has a chart's extension and no address. */
async function listFolder(folder: string, warnings: string[]): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const entry of await list(folder)) {
    if (!entry.isFolder) {
      if (entry.name === `default${SUFFIX}`) found.push({ address: DEFAULT, file: entry.path });
      else if (isChartLike(entry.name)) ignore(entry.path, 'charts are default.yaml and TENANT/CHART.yaml');
      continue;
    }
    for (const { name, path, isFolder } of await list(entry.path)) {
      if (isFolder || !isChartLike(name)) continue;
      if (!name.endsWith(SUFFIX)) {
        ignore(path, `a chart's file name ends in ${SUFFIX}`);
        continue;
      }
      const parsed = parseAddress(entry.name, name.slice(0, -SUFFIX.length));
      if (!parsed.ok) ignore(path, parsed.detail);
      else if (parsed.address.run !== undefined) ignore(path, 'a run has no file of its own');
      else found.push({ address: parsed.address, file: path });
    }
  }
  return found;

  function ignore(path: string, why: string): void {
    warnings.push(`stateservice: ${shown(path)} is ignored: ${why}`);
  }
}

/** Lists a folder. Follows symbolic links, and skips hidden files: no tenant's name begins with a dot. */
async function list(folder: string): Promise<{ name: string; path: string; isFolder: boolean }[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      // A broken link is treated as a file, so that reading it reports the reason.
      const isFolder = await stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      );
      return { name, path, isFolder };
    }),
  );
}

function isChartLike(name: string): boolean {
  return name.endsWith(SUFFIX) || name.endsWith('.yml');
}

/** Parses a chart. Bytes that are not UTF-8 are an error: workerd would replace each of them with U+FFFD. */
export function readBytes(bytes: Uint8Array): ReturnType<typeof readChart> {
  try {
    return readChart(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = 'The file is not UTF-8.';
    return {
      ok: false,
      errors: [{ severity: 'error', line: 1, column: 1, path: '', message }],
      warnings: [],
    };
  }
}

/** Formats an issue as `file:line:column: …`, which editors and terminals turn into a link. */
export function located(file: string, { line, column, path, message }: ChartIssue, severity = ''): string {
  return `${shown(file)}:${line}:${column}: ${severity}${path === '' ? '' : `${path}: `}${message}`;
}

function byAddress(a: ChartFile, b: ChartFile): number {
  if (a.address === DEFAULT || b.address === DEFAULT) return a.address === DEFAULT ? -1 : 1;
  return formatAddress(a.address) < formatAddress(b.address) ? -1 : 1;
}
