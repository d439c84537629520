/** A page of the list of a tenant's machines. */
import { Coverage } from '../grant.ts';
import type { ListCounts } from '../listing.ts';
import type { Listed, ListFilter, ListingTable } from '../store/listing-table.ts';
import type { RegistryTable } from '../store/registry-table.ts';
import type { MachinesPage, MachinesQuery } from './list-results.ts';
import { placeOf, readableOf } from './readable-machines.ts';

const BY_ADDRESS = { sort: 'address', isDescending: false } as const;

/**
 * Reads a page. An order and a filter are those of what the machines have told. For a grant that does not cover all machines,
 * the rows of the filter are read once to find those that it covers and to count them, and again for the page.
 */
export async function machinesPage(
  registry: RegistryTable,
  tenant: string,
  query: MachinesQuery,
  now: number,
): Promise<MachinesPage> {
  const { after, value, order = BY_ADDRESS, limit, chart, text, state, is } = query;
  const { listing } = registry;
  if (listing === undefined) return { addresses: [], more: false };
  const covered = query.grant && new Coverage(query.grant, 'read', tenant);
  const coverage = covered?.isWhole ? undefined : covered;
  const filter = { chart, prefixes: coverage && prefixesOf(coverage), text };
  const readable = coverage && (await readableOf([...listing.counted(filter, now)], coverage));
  const cursor = after && {
    chart: after.chart,
    run: after.run ?? '',
    ...(value === undefined ? {} : { value }),
  };
  const mayRead = (row: Listed) => readable?.has(row) ?? true;
  const mayBeAll = cursor === undefined && (readable?.counts.machines ?? 0) <= limit;
  const all = mayBeAll
    ? firstOf(listing.rows(filter, BY_ADDRESS, undefined, now), mayRead, limit)
    : { listed: [], more: true };
  const { listed, more } = all.more
    ? firstOf(listing.rows({ ...filter, state, is }, order, cursor, now), mayRead, limit)
    : all;
  const told = listed.map((row) => row.told());
  const counts = readable?.counts ?? countsOf(registry, listing, filter, now);
  const seen = listed.map(({ chart, run, isLate }, i) => [chart, run, isLate, told[i]]);
  const last = listed.at(-1);
  return {
    addresses: listed.map((row) => ({ tenant, ...placeOf(row) })),
    more,
    isWhole: !all.more,
    ...(last?.value === undefined ? {} : { value: last.value }),
    told,
    counts,
    tag: await hashOf(JSON.stringify([seen, more, counts])),
  };
}

/** Takes the first rows that may be read. */
function firstOf(rows: Iterable<Listed>, mayRead: (row: Listed) => boolean, limit: number) {
  const listed: Listed[] = [];
  for (const row of rows) {
    if (!mayRead(row)) continue;
    if (listed.length === limit) return { listed, more: true };
    listed.push(row);
  }
  return { listed, more: false };
}

/** Counts all machines of a filter. */
function countsOf(
  registry: RegistryTable,
  listing: ListingTable,
  filter: ListFilter,
  now: number,
): ListCounts {
  if (filter.chart !== undefined || filter.text !== undefined) return listing.counts(filter, now);
  return { machines: registry.total().machines, ...listing.troubled(now) };
}

/** @returns what the charts of a grant begin with, to read fewer rows; undefined if that says little. */
function prefixesOf({ prefixes }: Coverage): readonly string[] | undefined {
  return prefixes.length > PREFIXES || prefixes.includes('') ? undefined : prefixes;
}

/** The most of them in a query: it may have 100 parameters. */
const PREFIXES = 20;

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest).slice(0, 12)));
}
