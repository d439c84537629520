/** Rights: every method of every resource, requested by every kind of caller. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RESOURCES } from '../../src/edge/app.ts';
import type { Env } from '../../src/edge/env.ts';
import { RIGHTS, type Right } from '../../src/grant.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { historyOf, holdDefault, machinePath, problemOf, send } from '../service.ts';
import { GUARDED, sendAs, sendWith, tokenFor, tokenWith } from '../tokens.ts';

/** The right of every method of every resource of the service; `link` where the path is a link, and needs no token. */
const RULES: Readonly<Record<string, Readonly<Record<string, Right | 'link'>>>> = {
  '{machine}': { GET: 'read', DELETE: 'admin' },
  '{machine}/state': { GET: 'read', PUT: 'update' },
  '{machine}/ask': { POST: 'read' },
  '{machine}/report': { POST: 'update' },
  '{machine}/chart': { GET: 'read', PUT: 'admin' },
  '{machine}/chart/edit': { GET: 'admin', POST: 'admin' },
  '{machine}/chart/start': { GET: 'operate', POST: 'operate' },
  '{machine}/history': { GET: 'read' },
  '{machine}/reports': { GET: 'read' },
  '{machine}/members': { GET: 'read', PUT: 'operate', POST: 'operate', DELETE: 'operate' },
  '{machine}/members/{name}': { DELETE: 'operate' },
  '{machine}/watch': { GET: 'read' },
  '{machine}/claims': { POST: 'update', DELETE: 'update' },
  '{machine}/start': { POST: 'operate' },
  '{machine}/inputs': { PATCH: 'operate' },
  '{machine}/pause': { POST: 'operate' },
  '{machine}/resume': { POST: 'operate' },
  '{machine}/override': { POST: 'operate' },
  '{machine}/links': { GET: 'update', POST: 'update' },
  '{machine}/links/{link}': { GET: 'link', POST: 'link' },
  '{machine}/notifications': { GET: 'read' },
  '{machine}/notifications/{id}': { POST: 'operate' },
  '{machine}/reset': { POST: 'admin' },
  '{machine}/restore': { GET: 'admin', POST: 'admin' },
  '{machine}/diagram.svg': { GET: 'read' },
  '{machine}/diagram.mmd': { GET: 'read' },
  '{machine}/timeline.svg': { GET: 'read' },
  '{machine}/metrics': { GET: 'read' },
  '{machine}/v1/pre-reboot': { POST: 'update' },
  '{machine}/v1/steady-state': { POST: 'update' },
  '/{tenant}': { GET: 'read' },
  '/{tenant}/metrics': { GET: 'read' },
};

const LINK = '{machine}/links/{link}';

/** Paths that show nothing of any machine. */
const PUBLIC = [
  '/healthz',
  '/turn.sh',
  '/schema.json',
  '/page.js',
  '/page.css',
  '/favicon.ico',
  '/signin',
  '/signout',
  '/openapi.json',
  '/openapi',
];

const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH'];

const served = [
  ...RESOURCES.machine.map(({ path, methods }) => [`{machine}${path}`, methods] as const),
  ...RESOURCES.tenant.map(({ path, methods }) => [`/{tenant}${path}`, methods] as const),
];

it('the table lists every method of every resource, and no other', () => {
  const rights = served.map(([path, methods]) => [
    path,
    Object.fromEntries(Object.entries(methods).map(([method, { right }]) => [method, right])),
  ]);
  expect(Object.fromEntries(rights)).toEqual(RULES);
  expect(RESOURCES.service.map(({ path }) => path)).toEqual(PUBLIC);
});

const chart = sequence(counting('a', 'b', 1_000_000), final('b'));
const address = await newChart(chart);
const [tenant = ''] = address.split('/');
const MACHINES = [address, `${address}@run`, 'default', 'rights/no-chart'];

// Its end erases the machine, which ends its watchers.
beforeAll(() => holdDefault(chart));

/** A request for a path of the table. */
function requestFor(rule: string, machine: string): { readonly path: string; readonly init: RequestInit } {
  const isOfState = /\/(?:state|ask|report|reports)$/.test(rule);
  const query = /\/(?:claims|links)$/.test(rule) ? '?state=a&by=me' : isOfState ? '?state=a' : '';
  const path = rule.replace('{machine}', machinePath(machine)).replace('/{tenant}', `/${tenant}`) || '/';
  const isFleetLock = rule.includes('/v1/');
  const body = isFleetLock ? '{"client_params":{"id":"me","group":"a"}}' : chart;
  return {
    path: `${path}${query}`,
    init: isFleetLock || rule.endsWith('/chart') ? { body, headers: { 'fleet-lock-protocol': 'true' } } : {},
  };
}

async function statusFor(token: string | undefined, method: string, rule: string, machine: string) {
  const { path, init } = requestFor(rule, machine);
  const response = await sendAs(token, method, path, method === 'GET' || method === 'HEAD' ? {} : init);
  await response.body?.cancel();
  return response.status;
}

/** What a token opens. The link of a link path is none: the requests are refused, and never for a right. */
const rules = Object.entries(RULES).filter(([rule]) => rule !== LINK);

describe.each(METHODS)('a link: %s', (method) => {
  it.each(MACHINES)('asks for no token, and for no right: %s', async (machine) => {
    const isTaken = ['GET', 'HEAD', 'POST'].includes(method);
    for (const token of [
      undefined,
      'nonsense',
      await tokenFor('other/*', 'read'),
      await tokenFor('*', ...RIGHTS),
    ])
      expect(await statusFor(token, method, LINK, machine)).toBe(isTaken ? 404 : 405);
  });
});

const cases = rules.flatMap(([rule, rights]) =>
  METHODS.flatMap((method) => {
    const right = rights[method === 'HEAD' ? 'GET' : method];
    return (rule.startsWith('/{tenant}') ? [address] : MACHINES).map(
      (machine): [method: string, rule: string, machine: string, right: Right | 'link' | undefined] => [
        method,
        rule,
        machine,
        right,
      ],
    );
  }),
);

describe.each(cases)('%s %s at %s', (method, rule, machine, right) => {
  it('is refused without a token', async () => {
    expect(await statusFor(undefined, method, rule, machine)).toBe(401);
    expect(await statusFor('nonsense', method, rule, machine)).toBe(401);
  });

  if (right === undefined) {
    it('is 405 with every right', async () => {
      expect(await statusFor(await tokenFor('*', ...RIGHTS), method, rule, machine)).toBe(405);
    });
    return;
  }

  it('is refused with all rights for other machines', async () => {
    const elsewhere = ['other/*', `${tenant}x/*`, `${tenant}/other`, `${machine}x`, `${machine}@other`];
    const others = rule.startsWith('/{tenant}') ? ['other/*', `${tenant}x/*`, 'default'] : elsewhere;
    expect(await statusFor(await tokenFor(others, ...RIGHTS), method, rule, machine)).toBe(403);
  });

  it.each(RIGHTS)('needs the right of the table: %s', async (held) => {
    const allowed = await statusFor(await tokenFor(machine, held), method, rule, machine);
    if (held === right) expect([401, 403, 405, 503]).not.toContain(allowed);
    else expect(allowed).toBe(403);
  });

  it('is refused with all rights but that one', async () => {
    const others = RIGHTS.filter((other) => other !== right);
    expect(await statusFor(await tokenFor('*', ...others), method, rule, machine)).toBe(403);
  });
});

/** Every method that takes the name of the caller. The history takes the names of others: it is filtered by them. */
const named = RESOURCES.machine.flatMap(({ path, methods }) =>
  Object.entries(methods).flatMap(([method, { contract }]) =>
    path !== '/history' && contract.parameters?.some(({ name }) => name === 'by')
      ? [[method, path] as const]
      : [],
  ),
);

describe.each(named)('a token for one name: %s %s', (method, path) => {
  const statusAs = async (by: unknown, query: string) => {
    const token = await tokenWith({ charts: [address], by });
    const target = `/${address}${path.replace('{name}', 'me')}?${query}`;
    const response = await sendAs(token, method, target, method === 'GET' ? {} : { body: '{}' });
    return [response.status, response.ok ? '' : (await problemOf(response)).detail] as const;
  };
  const more = ['/state', '/claims', '/ask', '/report', '/links'].includes(path)
    ? 'state=a&'
    : path === '/override'
      ? 'to=a&reason=x&'
      : '';

  it('is refused with another name, which it says', async () => {
    // A restore looks at its moment first.
    const moment = path === '/restore' ? `at=${new Date(Date.now() - 60_000).toISOString()}&` : '';
    expect(await statusAs('web-01', `${moment}${more}by=web-02`)).toEqual([
      403,
      'The token is for "web-01" alone, and not for "web-02".',
    ]);
  });

  it('is admitted with its own name, and without one', async () => {
    for (const query of [`${more}by=web-01`, more]) {
      const [status, detail] = await statusAs('web-01', query);
      expect([401, 403], `${query}: ${detail}`).not.toContain(status);
      expect(detail).not.toContain('must name the caller');
    }
  });
});

describe('a token for one name', () => {
  it('reports, claims and asks under that name', async () => {
    const machine = await newChart(
      'initial: a\nstates: {a: {slots: 1, on: {update: {target: b, quorum: 3}}}, b: {}}',
    );
    const token = await tokenWith({ by: 'web-01' });
    const claim = await sendAs(token, 'POST', `/${machine}/claims?state=a`);
    expect(await claim.json<object>()).toMatchObject({ by: 'web-01' });
    expect((await sendAs(token, 'PUT', `/${machine}/state?state=a`)).status).toBe(200);
    const [entry] = (await historyOf(machine)).history;
    expect(entry).toMatchObject({ cause: 'update', by: 'web-01', sub: 'tester' });
    const asked = await sendAs(token, 'GET', `/${machine}/state?state=a`);
    expect((await problemOf(asked)).type).toBe('urn:stateservice:problem:already-reported');
  });

  it('locks that node alone by FleetLock', async () => {
    const machine = await newChart('initial: a\nstates: {a: {slots: 2, on: {update: b}}, b: {}}');
    const token = await tokenWith({ by: 'node-1' });
    const lock = (id: string, route: string) =>
      sendAs(token, 'POST', `/${machine}/v1/${route}`, {
        headers: { 'fleet-lock-protocol': 'true' },
        body: JSON.stringify({ client_params: { id, group: 'a' } }),
      });
    for (const route of ['pre-reboot', 'steady-state']) {
      const foreign = await lock('node-2', route);
      expect(foreign.status).toBe(403);
      expect(await foreign.json()).toMatchObject({ kind: 'forbidden' });
    }
    expect((await lock('node-1', 'pre-reboot')).status).toBe(200);
  });

  it.each(['', 7, 'x'.repeat(256)])('is no token if the name is wrong: %j', async (by) => {
    expect((await sendAs(await tokenWith({ by }), 'GET', `/${address}`)).status).toBe(401);
  });
});

describe('a path that shows nothing of any machine', () => {
  it.each(PUBLIC)('needs no token: %s', async (path) => {
    expect((await sendAs(undefined, 'GET', path)).status).toBe(200);
  });

  it.each(Object.keys(RULES))('may be OPTIONS: %s', async (rule) => {
    const response = await sendAs(undefined, 'OPTIONS', requestFor(rule, address).path);
    expect(response.status).toBe(204);
    expect(response.headers.get('Allow')).toContain('OPTIONS');
  });
});

describe('an unknown path', () => {
  it.each(['/a/b/c/d/e', `/${address}/nothing`, '/robots.txt', '/a/b@/state', '/%00', '/%00/x/state'])(
    'is 401 without a token: %s',
    async (path) => {
      expect((await sendAs(undefined, 'GET', path)).status).toBe(401);
      expect([400, 404]).toContain((await sendAs(await tokenFor('other/*', 'read'), 'GET', path)).status);
    },
  );
});

describe('a refusal for a missing right', () => {
  it('says which right is missing, and where', async () => {
    const reader = await sendAs(await tokenFor('acme/*', 'read'), 'PUT', '/acme/x/state?state=a');
    expect((await problemOf(reader)).detail).toBe(
      'This needs the right to update at acme/x; the token of tester may read, and not update.',
    );
    const other = await sendAs(await tokenFor(['acme/*', 'default'], 'read'), 'GET', '/corp/x/state?state=a');
    expect((await problemOf(other)).detail).toBe(
      'This needs the right to read at corp/x; the token of tester is for acme/*, default, and not for corp/x.',
    );
  });

  it('does not depend on whether there is a machine', async () => {
    const token = await tokenFor('other/*', ...RIGHTS);
    const texts = [address, `${tenant}/nothing-here`].map(async (machine) => {
      const response = await sendAs(token, 'GET', `/${machine}/state?state=a`);
      return `${response.status} ${(await response.text()).replaceAll(machine, 'M')}`;
    });
    const [there, notThere] = await Promise.all(texts);
    expect(there).toBe(notThere);
  });

  it('calls no object, so its timing shows nothing', async () => {
    const trap = () => {
      throw new Error('it was called');
    };
    const nowhere = {
      MACHINES: { getByName: trap },
      TENANTS: { getByName: trap },
    } as unknown as Partial<Env>;
    const tokens = [undefined, 'nonsense', await tokenFor('other/*', ...RIGHTS)];
    for (const [rule] of rules) {
      for (const token of tokens) {
        const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        const { path } = requestFor(rule, address);
        const response = await sendWith({ ...GUARDED, ...nowhere }, 'GET', path, { headers });
        expect([401, 403, 405]).toContain(response.status);
      }
    }
  });

  it('is an error of FleetLock at FleetLock’s paths', async () => {
    const response = await sendAs(undefined, 'POST', `/${address}/v1/pre-reboot`);
    expect(response.status).toBe(401);
    expect(response.headers.get('WWW-Authenticate')).toContain('Basic');
    expect(await response.json()).toEqual({ kind: 'no_token', value: expect.stringContaining('token') });
  });
});

it('an open service needs no right', async () => {
  for (const rule of Object.keys(RULES)) {
    const { path } = requestFor(rule, address);
    expect([401, 403]).not.toContain((await send('GET', path)).status);
  }
});
