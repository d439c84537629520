import { type Address, formatAddress, parseAddress, wrongName } from '../address.ts';
import { json, page, problem } from '../answers.ts';
import type { Env } from '../env.ts';
import { LIST_PAGE, LIST_PAGE_MAX } from '../limits.ts';
import { type Refusal, refuse } from '../refusal.ts';
import { type Row, TenantPage } from '../view/tenant-page.tsx';
import { wantsPage } from './machine.tsx';
import { type Parsed, wholeNumber } from './parameters.ts';
import type { TenantResource } from './resource.ts';

/** A tenant's machines: those that the caller may read. */
export const tenant: TenantResource = {
  methods: {
    GET: {
      right: 'read',
      async answer(c, name) {
        const limit = wholeNumber(c, 'limit', 1, LIST_PAGE_MAX);
        if (!limit.ok) return problem(limit);
        const after = cursor(name, c.req.query('after'));
        if (!after.ok) return problem(after);
        const chart = c.req.query('chart');
        const wrong = chart === undefined ? undefined : wrongName('chart', chart);
        if (wrong !== undefined) return problem(refuse('wrong-parameter', wrong));
        const grant = c.get('grant');
        const { addresses, more } = await c.env.TENANTS.getByName(name).members(name, {
          limit: limit.value ?? LIST_PAGE,
          ...(after.value === undefined ? {} : { after: after.value }),
          ...(chart === undefined ? {} : { chart }),
          ...(grant === undefined ? {} : { grant }),
        });
        const rows = (await Promise.all(addresses.map((address) => rowOf(c.env, address)))).flat();
        const last = addresses.at(-1);
        const next = more && last !== undefined ? { after: formatAddress(last) } : {};
        if (wantsPage(c)) {
          const [text = '', state = ''] = [c.req.query('q'), c.req.query('state')];
          const props = { tenant: name, rows, text, state, ...next, now: Date.now() };
          return page(String(<TenantPage {...props} />));
        }
        return json({ tenant: name, machines: rows.map(entryOf), ...next }, { Vary: 'Accept' });
      },
    },
  },
};

/** What a machine says of itself; nothing where it is gone. One that does not answer keeps nobody from the others. */
async function rowOf({ MACHINES }: Env, address: Address): Promise<Row[]> {
  const machine = formatAddress(address);
  try {
    const summary = await MACHINES.getByName(machine).summary();
    return summary === undefined ? [] : [{ machine, summary }];
  } catch (error) {
    console.error(`${machine} does not say what it is at`, error);
    return [{ machine }];
  }
}

function entryOf({ machine, summary }: Row) {
  if (summary === undefined) return { machine, status: 'unknown' };
  const { changedAt, ...facts } = summary;
  return { machine, ...facts, changed: new Date(changedAt).toISOString() };
}

/** `after`: the address that the page before ended with. */
function cursor(tenant: string, text: string | undefined): Parsed<Address | undefined> | Refusal {
  if (text === undefined) return { ok: true, value: undefined };
  const [name, chart, ...more] = text.split('/');
  const parsed = parseAddress(tenant, chart ?? '');
  if (name === tenant && more.length === 0 && parsed.ok) return { ok: true, value: parsed.address };
  return refuse('wrong-parameter', '`after` must be the `after` of the page before.');
}
