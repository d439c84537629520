import { describe, expect, it } from 'vitest';
import { final, newChart, sequence } from '../../charts.ts';
import { problemOf, send } from '../../service.ts';

/** The methods of each path: any other is refused. */
const MACHINE_RESOURCES: Readonly<Record<string, readonly string[]>> = {
  '': ['GET', 'HEAD', 'DELETE', 'OPTIONS'],
  '/state': ['GET', 'HEAD', 'PUT', 'OPTIONS'],
  '/chart': ['GET', 'HEAD', 'PUT', 'OPTIONS'],
  '/history': ['GET', 'HEAD', 'OPTIONS'],
};
const TENANT = '/a-tenant';
const SERVICE_RESOURCES: Readonly<Record<string, readonly string[]>> = {
  '/healthz': ['GET', 'HEAD', 'OPTIONS'],
};
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'];

const machine = `/${await newChart(sequence(final('only')))}`;

const resources = [
  ...Object.entries(MACHINE_RESOURCES).flatMap(([path, allowed]) =>
    [machine, `${machine}@run`, ''].map((base): [string, readonly string[]] => [
      `${base}${path}` || '/',
      allowed,
    ]),
  ),
  ...Object.entries(SERVICE_RESOURCES),
  [TENANT, ['GET', 'HEAD', 'OPTIONS']] satisfies [string, readonly string[]],
];

describe.each(resources)('%s', (path, allowed) => {
  it('answers OPTIONS with its methods', async () => {
    const response = await send('OPTIONS', path);
    expect(response.status).toBe(204);
    expect(response.headers.get('Allow')).toBe(allowed.join(', '));
    expect(await response.text()).toBe('');
  });

  it.each(METHODS.filter((method) => !allowed.includes(method)))(
    'refuses %s with its methods',
    async (method) => {
      const response = await send(method, path);
      expect(response.status).toBe(405);
      expect(response.headers.get('Allow')).toBe(allowed.join(', '));
      expect(await problemOf(response)).toMatchObject({
        type: 'urn:stateservice:problem:wrong-method',
        status: 405,
        detail: expect.stringContaining(method),
      });
    },
  );

  it.each(allowed)('accepts %s', async (method) => {
    expect((await send(method, path)).status).not.toBe(405);
  });

  it('answers HEAD as GET, without the body', async () => {
    const [head, get] = [await send('HEAD', path), await send('GET', path)];
    expect(head.status).toBe(get.status);
    expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers));
    expect((await head.arrayBuffer()).byteLength).toBe(0);
    expect((await get.arrayBuffer()).byteLength).toBeGreaterThan(0);
  });
});

describe('an unknown path', () => {
  it.each([
    '//',
    '/robots.txt',
    '/state/',
    '/healthz/',
    `${machine}/`,
    `${machine}/state/`,
    `${machine}/nothing`,
    `${machine}/state/more`,
    '/a/b/c/state',
    `${machine}/State`,
    '/charts/default.yaml/x',
  ])('is 404 with examples of paths: %s', async (path) => {
    for (const method of ['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH']) {
      const response = await send(method, path);
      expect(response.status, method).toBe(404);
      expect(await problemOf(response)).toMatchObject({
        type: 'urn:stateservice:problem:no-such-path',
        detail: expect.stringContaining('/{tenant}/{chart}/state'),
      });
    }
  });
});

describe('the files of the folder of charts', () => {
  it.each(['/acme/release.yaml', '/charts/default.yaml', `${machine}.yaml`])(
    'are not served as files: %s',
    async (path) => {
      expect((await send('GET', path)).status).toBe(404);
    },
  );

  it('are not served at the root, where the name is a tenant’s', async () => {
    expect(await (await send('GET', '/default.yaml')).json()).toEqual({
      tenant: 'default.yaml',
      machines: [],
    });
  });
});

it('/healthz says that the service answers', async () => {
  const response = await send('GET', '/healthz');
  expect([response.status, await response.json()]).toMatchObject([200, { status: 'ok' }]);
});
