import * as z from 'zod';
import { type Address, formatAddress, NameShape, parseWrittenAddress, wrongName } from '../../address.ts';
import { isLate } from '../../chart/deadline.ts';
import { LIST_PAGE, LIST_PAGE_MAX } from '../../limits.ts';
import { tenantNamed } from '../../objects/stubs.ts';
import { refuse } from '../../refusal.ts';
import { CONDITIONS, type Condition, fits, type Row, TenantPage } from '../../view/tenant-page.tsx';
import { attempt } from '../attempt.ts';
import { wantsPage } from '../browsers.tsx';
import type { Parameter } from '../contract/contract.ts';
import { MachinesShape } from '../contract/documents.ts';
import type { Env } from '../env.ts';
import { wholeNumber } from '../parameters.ts';
import { queryOf } from '../query.ts';
import { RemoteMachine } from '../remote-machine.ts';
import type { TenantResource } from '../resource.ts';
import { json, page, problem } from '../responses.ts';
import { isInSession } from '../session.ts';

const LIMIT = wholeNumber('limit', 1, LIST_PAGE_MAX, `The most machines of a page; ${LIST_PAGE} by default.`);

/** The address that the page before ended with. */
const AFTER = {
  name: 'after',
  in: 'query',
  says: '`after` of the page before.',
  shape: z.string(),
  read(c) {
    const { after: text } = queryOf(c);
    if (text === undefined) return { ok: true, value: undefined };
    const parsed = parseWrittenAddress(text);
    if (parsed.ok && parsed.address.tenant === c.req.param('name'))
      return { ok: true, value: parsed.address };
    return refuse('wrong-parameter', '`after` must be the `after` of the page before.');
  },
} satisfies Parameter<Address | undefined>;

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
  says: 'Only machines whose address has this in it, in any case of letters.',
  shape: z.string(),
  read: (c) => ({ ok: true as const, value: queryOf(c).q ?? '' }),
} satisfies Parameter<string>;
const STATE = {
  name: 'state',
  in: 'query',
  says: 'Of the machines of the page, only those in this state.',
  shape: z.string(),
  read: (c) => ({ ok: true as const, value: queryOf(c).state ?? '' }),
} satisfies Parameter<string>;
const IS = {
  name: 'is',
  in: 'query',
  says: 'Of the machines of the page, only those of which this is true. Late: most of the time to a deadline is over.',
  shape: z.enum(CONDITIONS),
  read(c) {
    const { is = '' } = queryOf(c);
    if (is === '') return { ok: true as const, value: undefined };
    const { data } = z.enum(CONDITIONS).safeParse(is);
    if (data !== undefined) return { ok: true as const, value: data };
    return refuse('wrong-parameter', `\`is\` must be one of ${CONDITIONS.join(', ')}.`);
  },
} satisfies Parameter<Condition | undefined>;

/** The machines of a tenant that the request may read. */
export const tenant: TenantResource = {
  methods: {
    GET: {
      right: 'read',
      contract: {
        id: 'machines',
        summary: "A tenant's machines that the caller may read, and the state of each.",
        parameters: [LIMIT, AFTER, CHART, TEXT, STATE, IS],
        answers: {
          200: {
            says: 'A page of machines.',
            content: { 'application/json': MachinesShape, 'text/html': 'text' },
            headers: ['Vary'],
          },
        },
        refusals: ['wrong-parameter'],
      },
      async answer(c, name) {
        const limit = LIMIT.read(c);
        if (!limit.ok) return problem(limit);
        const after = AFTER.read(c);
        if (!after.ok) return problem(after);
        const chart = CHART.read(c);
        if (!chart.ok) return problem(chart);
        const is = IS.read(c);
        if (!is.ok) return problem(is);
        const [text, state] = [TEXT.read(c).value, STATE.read(c).value];
        const grant = c.get('grant');
        const query = {
          limit: limit.value ?? LIST_PAGE,
          ...(after.value === undefined ? {} : { after: after.value }),
          ...(chart.value === undefined ? {} : { chart: chart.value }),
          ...(text === '' ? {} : { text: textIn(text, name) }),
          ...(grant === undefined ? {} : { grant }),
        };
        const members = await attempt(true, async () => tenantNamed(c.env, name).members(name, query));
        if ('code' in members) return problem(members);
        const { addresses, more } = members;
        const rows = (await Promise.all(addresses.map((address) => rowOf(c.env, address)))).flat();
        const last = addresses.at(-1);
        const next = more && last !== undefined ? { after: formatAddress(last) } : {};
        const now = Date.now();
        const filter = { state, is: is.value };
        if (wantsPage(c)) {
          const viewer =
            grant === undefined ? {} : { viewer: grant.sub, isInSession: isInSession(c.req.raw) };
          const props = { tenant: name, rows, text, chart: chart.value, filter, ...next, ...viewer, now };
          return page(String(<TenantPage {...props} />));
        }
        const machines = rows.filter((row) => fits(row, filter, now)).map((row) => entryOf(row, now));
        return json({ tenant: name, machines, ...next }, { Vary: 'Accept' });
      },
    },
  },
};

/** Reads the summary of a machine: no row if it is gone, a row without a summary if the call fails. */
async function rowOf(env: Env, address: Address): Promise<Row[]> {
  const machine = formatAddress(address);
  try {
    const summary = await new RemoteMachine(env, address).read({ type: 'summary' });
    if (summary.ok) return [{ machine, summary }];
    return summary.code === 'no-chart' ? [] : [{ machine }];
  } catch (error) {
    console.error(`the summary of ${machine} cannot be read`, error);
    return [{ machine }];
  }
}

/** @returns what is looked for without the tenant, which all addresses begin with. */
function textIn(text: string, tenant: string): string {
  const prefix = `${tenant}/`.toLowerCase();
  return text.toLowerCase().startsWith(prefix) ? text.slice(prefix.length) : text;
}

function entryOf({ machine, summary }: Row, now: number) {
  if (summary === undefined) return { machine, status: 'unknown' };
  const { ok: _, changedAt, tags = [], isPaused = false, deadline, ...facts } = summary;
  const conditions = { paused: isPaused, late: deadline !== undefined && isLate(deadline, now) };
  return { machine, ...facts, tags, ...conditions, changed: new Date(changedAt).toISOString() };
}
