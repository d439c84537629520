/** A query parameter that a method does not declare is refused: a misspelt one must not be ignored. */
import { beforeAll, describe, expect, it } from 'vitest';
import { RESOURCES } from '../../src/edge/app.ts';
import type { Contract } from '../../src/edge/contract/contract.ts';
import { QUERY_PARAMETERS } from '../../src/request-limits.ts';
import { counting, final, newChart, sequence } from '../charts.ts';
import { historyOf, holdDefault, machinePath, problemOf, send, statusOf } from '../service.ts';

const CHART = sequence(counting('a', 'b', 1_000_000), final('b'));
const address = await newChart(CHART);
const [tenant = ''] = address.split('/');
beforeAll(() => holdDefault(CHART));

/** Every method of every path. */
const SERVED = [
  ...RESOURCES.machine.flatMap(({ path, methods }) =>
    [address, 'default'].flatMap((name) => methodsAt(machinePath(name) + path || '/', methods)),
  ),
  ...RESOURCES.tenant.flatMap(({ path, methods }) => methodsAt(`/${tenant}${path}`, methods)),
  ...RESOURCES.service.map(({ path, contract }) => ({ method: 'GET', path, contract })),
];

describe.each(SERVED)('$method $path', ({ method, path, contract }) => {
  const known = (contract.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);

  it('refuses a parameter that it does not declare, and has no effect', async () => {
    const before = (await historyOf(address)).history.length;
    const declared = known.map((name) => `${name}=a`).join('&');
    for (const name of ['nonsense', '__proto__', 'toString', 'State', '%C3%A9']) {
      const response = await send(method, `${path}?${declared}&${name}=1`);
      // Where every parameter is an input of the run, the chart says which there are.
      const isInput = contract.inputs !== undefined;
      expect(response.status, name).toBe(isInput ? 422 : 400);
      expect(await response.text()).toContain(isInput ? 'has no input' : 'takes no parameter');
    }
    expect((await historyOf(address)).history).toHaveLength(before);
  });

  it.runIf(known.length > 0)('names the one that was meant', async () => {
    for (const name of known.filter((one) => one.length > 2)) {
      const misspelt = `${name.slice(0, -2)}${name.at(-1)}${name.at(-2)}`;
      const body = await (await send(method, `${path}?${misspelt}=a`)).text();
      expect(body).toMatch(new RegExp(`${misspelt}\\W+did you mean \\W+${name}\\W`));
    }
  });
});

describe('a yes or no', () => {
  it('is `true` or `false`: another word is refused, and has no effect', async () => {
    const before = await statusOf(address);
    for (const word of ['1', 'yes', 'TRUE', '']) {
      for (const [method, path] of [
        ['PUT', `chart?reset=true&dry_run=${word}`],
        ['PUT', `chart?reset=${word}`],
        ['GET', `chart?raw=${word}`],
        ['POST', `claims?state=a&by=w&renew=${word}`],
      ] as const) {
        const body = method === 'PUT' ? CHART : undefined;
        const refusal = await problemOf(await send(method, `/${address}/${path}`, body ? { body } : {}));
        expect(refusal).toMatchObject({
          status: 400,
          detail: expect.stringMatching(/must be one of true, false/),
        });
      }
    }
    expect(await statusOf(address)).toEqual(before);
    const dry = await send('PUT', `/${address}/chart?dry_run=true&reset=false`, { body: CHART });
    expect(dry.status).toBe(200);
  });
});

describe('`If-Match` and `If-None-Match`', () => {
  it('are refused where they are not compared, and the machine stays as it is', async () => {
    const before = await statusOf(address);
    const headers = { 'If-Match': '"77"' };
    // Whoever sends it means to replace nothing.
    const create = { 'If-None-Match': '*' };
    for (const [method, path, init] of [
      ['DELETE', '', { headers }],
      ['POST', '/reset', { headers }],
      ['POST', '/pause', { headers }],
      ['POST', '/claims?state=a&by=w', { headers }],
      ['PUT', '/chart', { headers: create, body: 'initial: other\nstates: {other: {}}\n' }],
      ['PUT', '/members', { headers: create, body: 'w' }],
      ['PUT', '/state?state=a', { headers: create }],
    ] as const) {
      const refusal = await problemOf(await send(method, `/${address}${path}`, init));
      expect(refusal).toMatchObject({ status: 400, detail: expect.stringContaining('does not compare') });
    }
    expect(await statusOf(address)).toEqual(before);
    expect((await send('GET', `/${address}/state?state=a`, { headers })).status).toBe(200);
  });
});

describe('an unknown parameter', () => {
  const detailOf = async (method: string, query: string) =>
    (await problemOf(await send(method, `/${address}/${query}`))).detail;

  it('is refused with the most similar name', async () => {
    expect(await detailOf('PUT', 'state?state=a&evnt=fail')).toBe(
      'This takes no parameter "evnt"; did you mean "event"?',
    );
    expect(await detailOf('GET', 'state?State=a')).toBe(
      'This takes no parameter "State"; did you mean "state"?',
    );
  });

  it('is refused with the list of parameters if none is similar', async () => {
    expect(await detailOf('GET', 'history?colour=red')).toBe(
      'This takes no parameter "colour"; it takes: before, limit, by, event, state, since, until.',
    );
    expect(await detailOf('GET', 'diagram.mmd?theme=dark')).toBe(
      'This takes no parameter "theme"; it takes none.',
    );
  });

  it('is shortened if it is long', async () => {
    const detail = await detailOf('GET', `state?state=a&${'x'.repeat(8_000)}=1`);
    expect(detail).toContain('xxx..."; it takes: state, by, wait, max-stale.');
    expect(detail.length).toBeLessThan(200);
  });

  it('is not searched in a query of more than the bound', async () => {
    const most = `?${'state=a&'.repeat(QUERY_PARAMETERS - 1)}state=a`;
    expect((await send('GET', `/${address}/state${most}`)).status).toBe(200);
    for (const more of [`${most}&state=a`, `${most}&`, `?state=a${'&a'.repeat(30_000)}%`]) {
      const response = await send('GET', `/${address}/state${more}`);
      expect(response.status).toBe(400);
      expect((await problemOf(response)).detail).toBe('The query has more than 72 parameters.');
    }
  });

  it('has no effect', async () => {
    const { revision } = await statusOf(address);
    expect((await send('PUT', `/${address}/state?state=a&evnt=fail`)).status).toBe(400);
    expect((await statusOf(address)).revision).toBe(revision);
  });
});

describe('a query without an unknown parameter', () => {
  it.each(['?state=a&', '?&state=a', '?state=a&&', '?state=a#evnt=fail', '?st%61te=a', '?state=a&state=b'])(
    'is accepted: %s',
    async (query) => {
      expect((await send('GET', `/${address}/state${query}`)).status).toBe(200);
    },
  );

  it('is not accepted with a form: what it says must not be ignored', async () => {
    const body = new URLSearchParams({ state: 'b', evnt: 'fail' });
    const response = await send('PUT', `/${address}/state?state=a`, { body });
    expect([response.status, (await problemOf(response)).detail]).toEqual([
      400,
      expect.stringContaining('The body is not JSON'),
    ]);
  });
});

describe('a form where there is no body', () => {
  it.each([
    ['POST', 'pause', new URLSearchParams({ until: '2h' })],
    ['POST', 'reset', new URLSearchParams({ by: 'ann' })],
    ['DELETE', 'members', new URLSearchParams({ by: 'ann' })],
    ['POST', 'claims?state=a&by=w', multipart({ renew: 'true' })],
  ])('is refused, and has no effect: %s %s', async (method, path, body) => {
    const before = await statusOf(address);
    const response = await send(method, `/${address}/${path}`, { body });
    expect([response.status, (await problemOf(response)).detail]).toEqual([
      400,
      'This takes parameters in the query, not in a form; with curl, add -G.',
    ]);
    expect(await statusOf(address)).toEqual(before);
  });

  it('is accepted if it is empty, as that of a button; and so is the JSON of a webhook', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '0' };
    const json = { 'Content-Type': 'application/json' };
    for (const [headers, body] of [
      [form, ''],
      [json, '{"until":"2h"}'],
    ] as const) {
      expect((await send('POST', `/${address}/resume`, { headers, body })).status).toBe(204);
    }
  });
});

function multipart(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

function methodsAt(path: string, methods: Readonly<Record<string, { readonly contract: Contract }>>) {
  return Object.entries(methods).map(([method, { contract }]) => ({ method, path, contract }));
}
