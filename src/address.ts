/** tenant/chart@run <-> object name <-> path: the only file that knows how an address is spelled. */

import * as z from 'zod';
import { NAME_LENGTH } from './limits.ts';

/** Where one machine is to be found. */
export interface Address {
  /** Absent for the service's own chart. */
  readonly tenant?: string;
  /** `default` for the service's own chart. */
  readonly chart: string;
  /** A machine of the chart beside the chart's own. */
  readonly run?: string;
}

/** The service's own chart, as in the original: its resources are at the root. */
export const DEFAULT: Address = { chart: 'default' };

/** What an address may be made of: safe in a path, a file name and a log line. */
const NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${NAME_LENGTH - 1}}$`);
export const NameShape = z.string().regex(NAME);

/** A chart's name, with the run behind an `@` where there is one. */
export const ChartAndRunShape = z
  .string()
  .regex(new RegExp(`${NAME.source.slice(0, -1)}(@${NAME.source.slice(1, -1)})?$`));

/** First path segments that are the service's or the `default` machine's own, and so no tenants' names. */
const RESERVED: ReadonlySet<string> = new Set([
  'chart',
  'claims',
  'default',
  'diagram.mmd',
  'diagram.svg',
  'favicon.ico',
  'healthz',
  'history',
  'metrics',
  'openapi',
  'openapi.json',
  'page.css',
  'page.js',
  'reset',
  'robots.txt',
  'schema.json',
  'state',
  'v1',
  'watch',
]);

/** An address, or why there is none. */
export type ParsedAddress =
  | { readonly ok: true; readonly address: Address }
  | { readonly ok: false; readonly detail: string };

/**
 * Reads the two path segments of a machine.
 *
 * @param tenant percent-decoded.
 * @param chart percent-decoded, with the run behind an `@` where there is one.
 */
export function parseAddress(tenant: string, chart: string): ParsedAddress {
  const at = chart.indexOf('@');
  const name = at === -1 ? chart : chart.slice(0, at);
  const run = at === -1 ? undefined : chart.slice(at + 1);
  const wrong =
    wrongName('tenant', tenant) ??
    wrongName('chart', name) ??
    (run === undefined ? undefined : wrongName('run', run));
  if (wrong !== undefined) return { ok: false, detail: wrong };
  if (isReserved(tenant)) {
    return {
      ok: false,
      detail: `${JSON.stringify(tenant)} is a name of the service itself and cannot be a tenant's.`,
    };
  }
  return { ok: true, address: { tenant, chart: name, ...(run === undefined ? {} : { run }) } };
}

/** @returns the name of the machine's object, which is how people write the address: `acme/release@42`. */
export function formatAddress({ tenant, chart, run }: Address): string {
  const name = tenant === undefined ? chart : `${tenant}/${chart}`;
  return run === undefined ? name : `${name}@${run}`;
}

/** The inverse of `formatAddress`. */
export function parseObjectName(name: string): Address {
  const [tenant, chart] = name.split('/');
  if (tenant === undefined || chart === undefined) return DEFAULT;
  const parsed = parseAddress(tenant, chart);
  if (!parsed.ok) throw new RangeError(`no machine has the name ${JSON.stringify(name)}`);
  return parsed.address;
}

/** Whether a first path segment is the service's own, and so no tenant's name. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/** @returns why `text` is no name, or nothing. */
export function wrongName(part: string, text: string): string | undefined {
  if (NAME.test(text)) return undefined;
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
  return `The ${part} ${shown} is no name: it must have 1 to ${NAME_LENGTH} letters, digits, ".", "_" or "-" and begin with a letter or digit.`;
}
