/** Two tenants with the same names: no request of one changes anything of the other. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RESOURCES } from '../../src/edge/app.ts';
import { RIGHTS } from '../../src/grant.ts';
import { putChart } from '../charts.ts';
import { queryOf } from '../edge/contract/query.ts';
import { ask, machinePath, report, send, statusOf } from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';
import { claim, storyOf } from './callers.ts';
import { linkTo } from './people.ts';
import { openSocket } from './sockets.ts';
import { listOf, namesOf, newTenant } from './tenants.ts';

const CHART = `
initial: work
states:
  work: {slots: 2, lease: 1h, on: {update: {target: done, quorum: 3}}}
  done: {type: final}
`;

/** @returns a new tenant with a machine and a run, in which `web-01` holds a slot. */
async function startTenant(): Promise<string> {
  const tenant = newTenant();
  await putChart(`${tenant}/release`, CHART);
  for (const address of [`${tenant}/release`, `${tenant}/release@42`]) {
    await ask(address, 'work');
    await claim(address, 'work', 'web-01');
    await send('PUT', `${machinePath(address)}/members`, { body: 'web-01' });
  }
  return tenant;
}

let ours: string;
let theirs: string;
beforeAll(startBoth);

async function startBoth(): Promise<void> {
  [ours, theirs] = [await startTenant(), await startTenant()];
}

/** Everything visible of a tenant, without its own name. */
async function viewOf(tenant: string): Promise<string> {
  const texts: string[] = [];
  for (const address of [`${tenant}/release`, `${tenant}/release@42`]) {
    for (const path of ['', '/chart', '/history']) {
      texts.push(await (await send('GET', `${machinePath(address)}${path}`)).text());
    }
  }
  return [...texts, JSON.stringify(await listOf(tenant))].join('\n').replaceAll(tenant, 'TENANT');
}

/** Every method of every resource, with its parameters. */
const REQUESTS = RESOURCES.machine.flatMap(({ path, methods }) =>
  Object.entries(methods).map(([method, { contract }]) => ({
    method,
    // The link is made with the request.
    path: path.replace('{name}', 'web-01').replace('{id}', '1'),
    query: queryOf(contract, {
      state: 'work',
      to: path.startsWith('/notifications') ? 'OPS' : 'work',
      reason: 'test',
      by: 'web-01',
      reset: 'true',
      at: new Date().toISOString(),
    }),
  })),
);

const CHANGED = CHART.replace('quorum: 3', 'quorum: 4');

/** What the forms of browsers send. */
const FORMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/chart/edit': { text: CHANGED, reset: 'true' },
  '/chart/start': { run: 'another' },
  '/members': { text: 'web-01 zone=eu' },
};

/** A link of `web-01`, which holds a slot. */
const LINKED = { event: 'update', by: 'web-01' };

describe.each(REQUESTS)('$method $path of one tenant', ({ method, path, query }) => {
  it.each(['release', 'release@42'])('changes nothing of another’s: %s', async (name) => {
    const ours = await startTenant();
    const before = await viewOf(theirs);
    const lock = { client_params: { id: 'web-01', group: 'work' } };
    const form = method === 'POST' ? FORMS[path] : undefined;
    const body = form === undefined ? CHANGED : new URLSearchParams(form);
    const init = path.startsWith('/v1/')
      ? { body: JSON.stringify(lock), headers: { 'fleet-lock-protocol': 'true' } }
      : { ...(form !== undefined || (method === 'PUT' && path === '/chart') ? { body } : {}) };
    const target = path.endsWith('{link}') ? await linkTo(`${ours}/${name}`, 'work', LINKED) : undefined;
    const url = target ?? `/${ours}/${name}${path}${query}`;
    const response = await send(method, url, { ...init, redirect: 'manual' });
    await response.body?.cancel();
    // It was a request that does something, but for a run, which takes no chart of its own, and for a restore, which
    // workerd cannot do, and for a notification, of which there is none. A form leads to another page.
    const isOfChart = path.startsWith('/chart/') || (method === 'PUT' && path === '/chart');
    const isRefused = isOfChart && name.includes('@');
    if (method === 'POST' && path === '/restore') expect(response.status).toBe(501);
    else if (path === '/notifications/1') expect(response.status).toBe(404);
    else if (form !== undefined && !isRefused) expect(response.status).toBe(303);
    else if (!isRefused) expect(response.status).toBeLessThan(300);
    expect(await viewOf(theirs)).toBe(before);
  });

  it.skipIf(path.endsWith('{link}'))('is refused to a token of the other', async () => {
    const token = await tokenFor(`${theirs}/*`, ...RIGHTS);
    for (const name of ['release', 'release@42']) {
      const response = await sendAs(token, method, `/${ours}/${name}${path}${query}`);
      expect(response.status).toBe(403);
    }
  });
});

describe('the list of one tenant', () => {
  it('has its own machines, and nothing of the other’s', async () => {
    expect(await namesOf(ours)).toEqual([`${ours}/release`, `${ours}/release@42`]);
    expect(JSON.stringify(await listOf(ours))).not.toContain(theirs);
  });

  it('is refused to a token of the other', async () => {
    const token = await tokenFor(`${theirs}/*`, ...RIGHTS);
    expect((await sendAs(token, 'GET', `/${ours}`)).status).toBe(403);
    expect((await sendAs(token, 'GET', `/${theirs}?after=${ours}/release`)).status).toBe(400);
  });
});

describe('a watcher of one tenant', () => {
  beforeAll(startBoth);

  it('gets its changes, and none of the other’s', async () => {
    const sockets = [await openSocket(`${ours}/release`), await openSocket(`${theirs}/release`)];
    await send('PUT', `/${theirs}/release/state?state=work&by=web-01`);
    await send('DELETE', `/${ours}/release/claims?state=work&by=web-01`);
    expect((await sockets[0]?.next())?.cause).toBe('release');
    expect((await sockets[1]?.next())?.cause).toBe('update');
    for (const socket of sockets) socket.close();
  });
});

describe('a claim, a key and a caller of one tenant', () => {
  beforeAll(startBoth);

  it('are unknown to the other', async () => {
    const put = (tenant: string) =>
      send('PUT', `/${tenant}/release/state?state=work&by=web-01`, { headers: { 'Idempotency-Key': 'k' } });
    expect((await put(ours)).status).toBe(200);
    expect((await put(theirs)).status).toBe(200);
    for (const tenant of [ours, theirs]) {
      const reports = (await storyOf(`${tenant}/release`)).filter(({ cause }) => cause === 'update');
      expect(reports).toHaveLength(1);
      expect((await statusOf(`${tenant}/release`)).quorums[0]).toMatchObject({ have: 1, need: 3 });
    }
    expect((await report(`${ours}/release@42`, 'done')).status).toBe(406);
  });
});
