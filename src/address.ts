/** Addresses of machines, `tenant/chart@run`: the only file that reads and writes them. */
import * as z from 'zod/mini';
import { type Refusal, refuse } from './refusal.ts';
import { NAME_LENGTH } from './request-limits.ts';

/** The address of a machine. */
export interface Address {
  /** Absent for the service's own chart. */
  readonly tenant?: string;
  /** `default` for the service's own chart. */
  readonly chart: string;
  /** A run: another machine of the same chart. */
  readonly run?: string;
}

/** The machine of the service's own chart. As in the original, its resources are at the root. */
export const DEFAULT: Address = { chart: 'default' };

/** A name in an address: safe in a path, a file name and a log line. */
const NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${NAME_LENGTH - 1}}$`);
export const NameShape = z.string().check(z.regex(NAME));

/** `chart` or `chart@run`. */
export const ChartAndRunShape = z
  .string()
  .check(z.regex(new RegExp(`${NAME.source.slice(0, -1)}(@${NAME.source.slice(1, -1)})?$`)));

/** First path segments of the service's and the `default` machine's resources: no tenant can have these names. */
const RESERVED: ReadonlySet<string> = new Set([
  'ask',
  'chart',
  'claims',
  'default',
  'diagram.mmd',
  'diagram.svg',
  'favicon.ico',
  'healthz',
  'history',
  'inputs',
  'links',
  'members',
  'report',
  'reports',
  'metrics',
  'notifications',
  'override',
  'pause',
  'resume',
  'openapi',
  'openapi.json',
  'page.css',
  'page.js',
  'reset',
  'restore',
  'robots.txt',
  'schema.json',
  'signin',
  'signout',
  'start',
  'state',
  'timeline.svg',
  'turn.sh',
  'v1',
  'watch',
]);

/** Paths of a tenant itself, `/{tenant}/metrics`: no chart can have these names. */
const RESERVED_CHARTS: ReadonlySet<string> = new Set(['metrics']);

type ParsedAddress = { readonly ok: true; readonly address: Address } | Refusal;

/**
 * Reads the two path segments of a machine, percent-decoded.
 *
 * @param chart `chart` or `chart@run`.
 */
export function parseAddress(tenant: string, chart: string): ParsedAddress {
  const parsed = parseSegments(tenant, chart);
  if (!parsed.ok || !RESERVED_CHARTS.has(parsed.address.chart)) return parsed;
  const shown = JSON.stringify(parsed.address.chart);
  return refuse('wrong-address', `${shown} is a path of the tenant itself and cannot be a chart's name.`);
}

/** Reads a written address: `acme/release`, `acme/release@42` or `default`. */
export function parseWrittenAddress(text: string): ParsedAddress {
  return parseWritten(text, parseAddress);
}

/**
 * The inverse of `formatAddress`. A chart's reserved name is read too: earlier versions had no such names, and the object's
 * alarms go on.
 *
 * @throws if no machine's object has the name.
 */
export function parseObjectName(name: string): Address {
  const parsed = parseWritten(name, parseSegments);
  if (!parsed.ok) throw new RangeError(`no machine has the name ${JSON.stringify(name)}`);
  return parsed.address;
}

function parseWritten(text: string, parse: typeof parseSegments): ParsedAddress {
  if (text === DEFAULT.chart) return { ok: true, address: DEFAULT };
  const [tenant = '', chart, ...more] = text.split('/');
  if (chart !== undefined && more.length === 0) return parse(tenant, chart);
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
  return refuse('wrong-address', `${shown} is no address; write tenant/chart, tenant/chart@run or default.`);
}

function parseSegments(tenant: string, chart: string): ParsedAddress {
  const at = chart.indexOf('@');
  const name = at === -1 ? chart : chart.slice(0, at);
  const run = at === -1 ? undefined : chart.slice(at + 1);
  const wrong =
    wrongName('tenant', tenant) ??
    wrongName('chart', name) ??
    (run === undefined ? undefined : wrongName('run', run));
  if (wrong !== undefined) return refuse('wrong-address', wrong);
  if (isReserved(tenant)) {
    const detail = `${JSON.stringify(tenant)} is a name of the service itself and cannot be a tenant's.`;
    return refuse('wrong-address', detail);
  }
  return { ok: true, address: { tenant, chart: name, ...(run === undefined ? {} : { run }) } };
}

/** @returns the written address, which is also the name of the machine's object: `acme/release@42`. */
export function formatAddress(address: Address): string {
  return segmentsOf(address).join('/');
}

/** @returns the address as path segments, the run with its chart: `['acme', 'release@42']`. */
export function segmentsOf({ tenant, chart, run }: Address): string[] {
  const last = run === undefined ? chart : `${chart}@${run}`;
  return tenant === undefined ? [last] : [tenant, last];
}

/** Whether a first path segment belongs to the service: no tenant can have that name. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** @returns why `text` is no name of a tenant, a chart or a run (`part`); undefined if it is one. */
export function wrongName(part: string, text: string): string | undefined {
  if (NAME.test(text)) return undefined;
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
  return `The ${part} ${shown} is no name: it must have 1 to ${NAME_LENGTH} letters, digits, ".", "_" or "-" and begin with a letter or digit.`;
}
