/** A page of the list of a tenant's machines. */
import type { Address } from '../address.ts';
import { allows, type Grant } from '../grant.ts';
import type { ListCounts } from '../listing.ts';
import type { Listed, ListFilter, ListingTable } from '../store/listing-table.ts';
import type { Member, RegistryTable } from '../store/registry-table.ts';
import type { MachinesPage, MachinesQuery } from './list-results.ts';

const BY_ADDRESS = { sort: 'address', isDescending: false } as const;

/** Reads a page. An order and a filter are those of what the machines have told. */
export async function machinesPage(
  registry: RegistryTable,
  tenant: string,
  query: MachinesQuery,
  now: number,
): Promise<MachinesPage> {
  const { after, value, order = BY_ADDRESS, limit, chart, text, state, is } = query;
  const { listing } = registry;
  if (listing === undefined) return { addresses: [], more: false };
  const grant = query.grant && coversTenant(query.grant, tenant) ? undefined : query.grant;
  const cursor = after && {
    chart: after.chart,
    run: after.run ?? '',
    ...(value === undefined ? {} : { value }),
  };
  // Only to read fewer rows: each is held against the grant.
  const prefixes = grant && prefixesOf(grant);
  const mayRead = (row: Listed) => grant === undefined || allows(grant, 'read', addressOf(tenant, row));
  const all =
    cursor === undefined
      ? firstOf(listing.rows({ chart, prefixes, text }, BY_ADDRESS, undefined, now), mayRead, limit)
      : { listed: [], more: true };
  const { listed, more } = all.more
    ? firstOf(listing.rows({ chart, prefixes, text, state, is }, order, cursor, now), mayRead, limit)
    : all;
  const told = listed.map((row) => row.told());
  const counts = countsIn(registry, listing, { tenant, grant, filter: { chart, prefixes, text }, now });
  const seen = listed.map(({ chart, run, isLate }, i) => [chart, run, isLate, told[i]]);
  const last = listed.at(-1);
  return {
    addresses: listed.map((row) => addressOf(tenant, row)),
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

interface Counted {
  readonly tenant: string;
  /** Undefined if all machines may be read. */
  readonly grant: Grant | undefined;
  readonly filter: ListFilter;
  readonly now: number;
}

function countsIn(
  registry: RegistryTable,
  listing: ListingTable,
  { tenant, grant, filter, now }: Counted,
): ListCounts {
  if (grant === undefined) {
    if (filter.chart !== undefined || filter.text !== undefined) return listing.counts(filter, now);
    return { machines: registry.total().machines, ...listing.troubled(now) };
  }
  const counts = { machines: 0, late: 0, failed: 0, paused: 0 };
  for (const row of listing.rows(filter, BY_ADDRESS, undefined, now)) {
    if (!allows(grant, 'read', addressOf(tenant, row))) continue;
    counts.machines += 1;
    if (row.isLate) counts.late += 1;
    if (row.isFailed) counts.failed += 1;
    if (row.isPaused) counts.paused += 1;
  }
  return counts;
}

/** @returns what the charts of a grant begin with; undefined if that says little. */
function prefixesOf({ charts }: Grant): readonly string[] | undefined {
  const prefixes = charts.flatMap((glob) => /\/([^*@]*)/.exec(glob)?.[1] ?? []);
  return prefixes.length > PREFIXES || prefixes.includes('') ? undefined : prefixes;
}

/** The most of them in a query: it may have 100 parameters. */
const PREFIXES = 20;

/** Whether a grant may read all machines of a tenant. */
function coversTenant({ charts, can }: Grant, tenant: string): boolean {
  return can.includes('read') && (charts.includes('*') || charts.includes(`${tenant}/*`));
}

function addressOf(tenant: string, { chart, run }: Member): Address {
  return { tenant, chart, ...(run === '' ? {} : { run }) };
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest).slice(0, 12)));
}
