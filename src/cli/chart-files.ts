import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Address, DEFAULT, formatAddress, parseAddress } from '../address.ts';
import { type Chart, type ChartIssue, readChart } from '../chart/chart.ts';
import { errorPath, type Outcome, reasonOf, refuse, refuseLines, shown } from './outcome.ts';

/** A chart that was read, checked and found right. */
export interface ChartFile {
  readonly address: Address;
  readonly file: string;
  /** As the file has them. */
  readonly bytes: Uint8Array;
}

export interface Findings {
  /** `default` first, then by address. */
  readonly charts: readonly ChartFile[];
  /** Complete lines for stderr. */
  readonly warnings: readonly string[];
}

/** A file that would be served, before anyone has read it. */
interface Candidate {
  readonly address: Address;
  readonly file: string;
}

const SUFFIX = '.yaml';

/**
 * Reads and checks all that a server will serve, so that a wrong chart is seen at the start and not by the first caller.
 *
 * @param folder `default.yaml` is the chart `default`, `TENANT/CHART.yaml` is `TENANT/CHART`
 * @param chart the file for `default`, in place of the folder's
 * @returns refused: what cannot be read, and every error of every wrong chart as `file:line:column: path: message`.
 */
export async function readCharts(folder: string, chart: string | undefined): Promise<Outcome<Findings>> {
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
  const wrong = new Set<string>();
  for (const { address, file } of candidates) {
    const read = await readBytesOf(file);
    if (!read.ok) return read;
    const bytes = read.value;
    const reading = readBytes(bytes);
    warnings.push(...reading.warnings.map((issue) => located(file, issue, 'warning: ')));
    if (reading.ok) {
      charts.set(formatAddress(address), { address, file, bytes });
    } else {
      wrong.add(shown(file));
      errors.push(...reading.errors.map((issue) => located(file, issue)));
    }
  }
  if (wrong.size > 0) {
    const verdict = `${[...wrong].join(', ')} ${wrong.size === 1 ? 'is' : 'are'} wrong; nothing is served`;
    return refuseLines([...warnings, ...errors, ...refuse(verdict).lines]);
  }
  return { ok: true, value: { charts: [...charts.values()].sort(byAddress), warnings } };
}

/** Reads one chart that must be right. @returns refused: a file that cannot be read, and every error of a wrong chart. */
export async function readChartFile(file: string): Promise<Outcome<Chart>> {
  const bytes = await readBytesOf(file);
  if (!bytes.ok) return bytes;
  const reading = readBytes(bytes.value);
  if (reading.ok) return { ok: true, value: reading.chart };
  return refuseLines(reading.errors.map((issue) => located(file, issue)));
}

async function readBytesOf(file: string): Promise<Outcome<Uint8Array>> {
  try {
    return { ok: true, value: await readFile(file) };
  } catch (error) {
    return refuse(`cannot read ${shown(file)}: ${reasonOf(error)}`);
  }
}

/** Finds the charts of a folder. What is named like a chart and has no address goes to `warnings`. */
async function listFolder(folder: string, warnings: string[]): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const entry of await list(folder)) {
    if (!entry.isFolder) {
      if (entry.name === `default${SUFFIX}`) found.push({ address: DEFAULT, file: entry.path });
      else if (isChartLike(entry.name)) ignore(entry.path, 'a chart is default.yaml or TENANT/CHART.yaml');
      continue;
    }
    for (const { name, path, isFolder } of await list(entry.path)) {
      if (isFolder || !isChartLike(name)) continue;
      if (!name.endsWith(SUFFIX)) {
        ignore(path, `the name of a chart's file ends in ${SUFFIX}`);
        continue;
      }
      const parsed = parseAddress(entry.name, name.slice(0, -SUFFIX.length));
      if (!parsed.ok) ignore(path, parsed.detail);
      else if (parsed.address.run !== undefined)
        ignore(path, 'a run has the chart of its chart, and no file');
      else found.push({ address: parsed.address, file: path });
    }
  }
  return found;

  function ignore(path: string, why: string): void {
    warnings.push(`stateservice: ${shown(path)} is ignored: ${why}`);
  }
}

/** What a folder holds, symbolic links followed, hidden files left out: no tenant's name begins with a dot. */
async function list(folder: string): Promise<{ name: string; path: string; isFolder: boolean }[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      // A link to nowhere is no folder; reading it as a file says what is wrong with it.
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

/** Reads a chart's bytes. `fatal`, because workerd would put a question mark for every byte that is not UTF-8, and serve that. */
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

/** An issue in the form that editors and terminals make a link of. */
export function located(file: string, { line, column, path, message }: ChartIssue, severity = ''): string {
  return `${shown(file)}:${line}:${column}: ${severity}${path === '' ? '' : `${path}: `}${message}`;
}

function byAddress(a: ChartFile, b: ChartFile): number {
  if (a.address === DEFAULT || b.address === DEFAULT) return a.address === DEFAULT ? -1 : 1;
  return formatAddress(a.address) < formatAddress(b.address) ? -1 : 1;
}
