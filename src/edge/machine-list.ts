/** The list of a tenant's machines as requests ask for it, and how its machines are read. */
import type { Context } from 'hono';
import * as z from 'zod/mini';
import { type Address, formatAddress, NameShape, parseWrittenAddress, wrongName } from '../address.ts';
import { type Parsed, parseInput } from '../inputs.ts';
import { LIST_PAGE, LIST_PAGE_MAX } from '../limits.ts';
import { CONDITIONS, type Condition, type ListCounts, SORTS, type Sort } from '../listing.ts';
import type { MachinesPage, MachinesQuery, Told } from '../objects/list-results.ts';
import { tenantNamed } from '../objects/stubs.ts';
import { listingOf } from '../objects/telling.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { toldIn } from '../store/listing-table.ts';
import type { List, Row } from '../view/tenant-page.tsx';
import { attempt } from './attempt.ts';
import type { Parameter } from './contract/contract.ts';
import type { AppEnv, Env } from './env.ts';
import { countOf, inOrder } from './list-order.ts';
import { oneOf, parameter, wholeNumber } from './parameters.ts';
import { queryOf } from './query.ts';
import { RemoteMachine } from './remote-machine.ts';

const LIMIT = wholeNumber('limit', 1, LIST_PAGE_MAX, `The most machines of a page; ${LIST_PAGE} by default.`);

const WRONG_AFTER = refuse('wrong-parameter', '`after` must be the `after` of the page before.');

/** Where the page before has ended: an address, and before it what the list is sorted by. */
const AFTER = {
  name: 'after',
  in: 'query',
  says: '`after` of the page before, with the same `sort` and `order`.',
  shape: z.string(),
  read(c) {
    const { after: text } = queryOf(c);
    if (text === undefined) return { ok: true, value: undefined };
    const colon = text.lastIndexOf(':');
    const parsed = parseWrittenAddress(text.slice(colon + 1));
    if (!parsed.ok) return WRONG_AFTER;
    return {
      ok: true,
      value: { address: parsed.address, value: colon < 1 ? undefined : text.slice(0, colon) },
    };
  },
} satisfies Parameter<{ readonly address: Address; readonly value: string | undefined } | undefined>;

const SORT: Parameter<Sort> = parameter({
  name: 'sort',
  in: 'query',
  says: 'The order: by `address`; by when the states have `changed`; by the name of the `state`; by the `deadline`, machines without one last.',
  shape: z._default(oneOf('sort', SORTS), 'address'),
  absent: { ok: true, value: 'address' },
});

const ORDER: Parameter<'asc' | 'desc'> = parameter({
  name: 'order',
  in: 'query',
  says: 'The direction.',
  shape: z._default(oneOf('order', ['asc', 'desc']), 'asc'),
  absent: { ok: true, value: 'asc' },
});

const CHART: Parameter<string | undefined> = {
  name: 'chart',
  in: 'query',
  says: 'Only the machine of this chart, and its runs.',
  shape: NameShape,
  read(c) {
    const { chart: value } = queryOf(c);
    const wrong = value === undefined ? undefined : wrongName('chart', value);
    return wrong === undefined ? { ok: true, value } : refuse('wrong-parameter', wrong);
  },
};

const TEXT = {
  name: 'q',
  in: 'query',
  says: 'Only machines whose address below the tenant has this in it, in any case of letters.',
  shape: z.string(),
  read: (c) => ({ ok: true as const, value: queryOf(c).q ?? '' }),
} satisfies Parameter<string>;
const STATE = {
  name: 'state',
  in: 'query',
  says: 'Only machines in this state.',
  shape: z.string(),
  read: (c) => ({ ok: true as const, value: queryOf(c).state ?? '' }),
} satisfies Parameter<string>;
const CONDITION = oneOf('is', CONDITIONS);
const IS = {
  name: 'is',
  in: 'query',
  says: 'Only machines of which this is true. Late: most of the time to a deadline is over.',
  shape: CONDITION,
  read(c) {
    const { is = '' } = queryOf(c);
    if (is === '') return { ok: true as const, value: undefined };
    return parseInput(CONDITION, is);
  },
} satisfies Parameter<Condition | undefined>;

/** What a list is asked for. */
export const LIST_PARAMETERS: readonly Parameter<unknown>[] = [
  LIMIT,
  AFTER,
  CHART,
  TEXT,
  STATE,
  IS,
  SORT,
  ORDER,
];

interface AskedList {
  /** For the registry. */
  readonly query: MachinesQuery;
  /** For the page. */
  readonly list: List;
}

/** Reads what a request asks of a tenant's list. */
function readListQuery(c: Context<AppEnv>, tenant: string): Parsed<AskedList> {
  const limit = LIMIT.read(c);
  if (!limit.ok) return limit;
  const after = AFTER.read(c);
  if (!after.ok) return after;
  if (after.value !== undefined && after.value.address.tenant !== tenant) return WRONG_AFTER;
  const chart = CHART.read(c);
  if (!chart.ok) return chart;
  const is = IS.read(c);
  if (!is.ok) return is;
  const sort = SORT.read(c);
  if (!sort.ok) return sort;
  const direction = ORDER.read(c);
  if (!direction.ok) return direction;
  const [text, state] = [TEXT.read(c).value, STATE.read(c).value];
  const grant = c.get('grant');
  const value = after.value?.value;
  const order = { sort: sort.value, isDescending: direction.value === 'desc' };
  return {
    ok: true,
    value: {
      query: {
        limit: limit.value ?? LIST_PAGE,
        order,
        ...(after.value === undefined ? {} : { after: after.value.address }),
        ...(value === undefined ? {} : { value: sort.value === 'state' ? value : Number(value) }),
        ...(chart.value === undefined ? {} : { chart: chart.value }),
        ...(text === '' ? {} : { text: textIn(text, tenant) }),
        ...(state === '' ? {} : { state }),
        ...(is.value === undefined ? {} : { is: is.value }),
        ...(grant === undefined ? {} : { grant }),
      },
      list: { text, chart: chart.value, state, is: is.value, order, isContinued: after.value !== undefined },
    },
  };
}

/** A page of a tenant's list. */
export interface ReadList {
  readonly rows: readonly Row[];
  /** Absent from tenants of an earlier version. */
  readonly counts?: ListCounts;
  /** `after` of the next page; absent if there is none. */
  readonly after?: string;
  /** When the machines were read, ms since the epoch. */
  readonly now: number;
}

/** What was asked for, and what the registry says of it. */
interface ListedMachines {
  readonly ok: true;
  readonly list: List;
  readonly listed: MachinesPage;
}

/** Asks a tenant's registry for the page of its machines that a request asks for. No machine is called. */
export async function listMachines(c: Context<AppEnv>, tenant: string): Promise<ListedMachines | Refusal> {
  const asked = readListQuery(c, tenant);
  if (!asked.ok) return asked;
  const { query, list } = asked.value;
  const listed = await attempt(true, async () => tenantNamed(c.env, tenant).members(tenant, query));
  return 'code' in listed ? listed : { ok: true, list, listed };
}

/** Reads the machines of a page. */
export async function readMachines(
  env: Env,
  tenant: string,
  { list, listed }: ListedMachines,
): Promise<ReadList> {
  const found = await rowsOf(env, tenant, listed);
  const now = Date.now();
  const { more, isWhole } = listed;
  const rows = isWhole ? inOrder(found, list.order) : found;
  const counts = isWhole ? countOf(found, now) : listed.counts;
  const last = listed.addresses.at(-1);
  return {
    rows,
    ...(counts === undefined ? {} : { counts }),
    ...(more && last !== undefined ? { after: cursorOf(last, listed.value) } : {}),
    now,
  };
}

/** @returns `after` of the next page. */
function cursorOf(last: Address, value: string | number | undefined): string {
  const address = formatAddress(last);
  return value === undefined ? address : `${value}:${address}`;
}

/** Reads the machines of a page, and tells the registry of those that it has not heard the last of. */
async function rowsOf(env: Env, tenant: string, { addresses, told = [] }: MachinesPage): Promise<Row[]> {
  const found = await Promise.all(addresses.map((address) => rowOf(env, address)));
  const news = found.flatMap((row, i): Told[] => {
    const [summary, address] = [row?.summary, addresses[i]];
    if (summary?.since === undefined || address === undefined || told[i] === undefined) return [];
    const listing = listingOf(summary);
    return toldIn(listing) === told[i] ? [] : [{ address, listing }];
  });
  // The largest page has no subrequest left.
  if (news.length > 0 && addresses.length < LIST_PAGE_MAX) await tell(env, tenant, news);
  return found.flatMap((row) => row ?? []);
}

async function tell(env: Env, tenant: string, news: readonly Told[]): Promise<void> {
  try {
    await tenantNamed(env, tenant).tell(news);
  } catch (error) {
    console.error(`the list of ${tenant} cannot be corrected`, error);
  }
}

/** Reads the summary of a machine: undefined if it is gone, a row without a summary if the call fails. */
async function rowOf(env: Env, address: Address): Promise<Row | undefined> {
  const machine = formatAddress(address);
  try {
    const summary = await new RemoteMachine(env, address).read({ type: 'summary' });
    if (summary.ok) return { machine, summary };
    return summary.code === 'no-chart' ? undefined : { machine };
  } catch (error) {
    console.error(`the summary of ${machine} cannot be read`, error);
    return { machine };
  }
}

/** @returns what is looked for without the tenant, which all addresses begin with. */
function textIn(text: string, tenant: string): string {
  const prefix = `${tenant}/`.toLowerCase();
  return text.toLowerCase().startsWith(prefix) ? text.slice(prefix.length) : text;
}
