import { type Address, formatAddress } from '../address.ts';
import type { ChartOrigin } from '../store/stored-machine.ts';

/** A chart's text, not yet read. */
export interface ChartText {
  readonly text: string;
  readonly origin: ChartOrigin;
  /** SHA-256 of the text, hexadecimal. A machine compares it to tell whether there is a newer chart. */
  readonly hash: string;
}

/** The bindings that charts come from. */
export interface CatalogBindings {
  /** The text of the `default` chart: `wrangler deploy --var "CHART:$(cat states.yaml)"`. */
  readonly CHART?: string;
  /** The folder of charts: static assets on Cloudflare, a disk service in `npm start`. */
  readonly CHARTS?: Fetcher;
}

/**
 * Finds the newest bound chart for an address. A run has the chart of its base address.
 *
 * @returns undefined if there is none.
 * @throws if the folder cannot be read, because that does not mean that there is none.
 */
export async function findChart(bindings: CatalogBindings, address: Address): Promise<ChartText | undefined> {
  if (address.tenant === undefined && bindings.CHART) return chartText(bindings.CHART, 'binding');
  if (bindings.CHARTS === undefined) return undefined;
  const { run: _, ...base } = address;
  const file = `${formatAddress(base)}.yaml`;
  const response = await bindings.CHARTS.fetch(`https://charts/${file}`);
  if (response.ok) return chartText(await response.text(), 'bundle');
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  throw new Error(`the CHARTS binding answered ${response.status} for ${file}`);
}

async function chartText(text: string, origin: ChartOrigin): Promise<ChartText> {
  return { text, origin, hash: await hashOf(text) };
}

/** SHA-256, in hexadecimal. */
export async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
