/** Tokens from the command line, and servers that require them. */
import { afterEach, describe, expect, it } from 'vitest';
import { folderOf, SEQUENCE } from './charts.ts';
import { cleanUp, runCli, startServer, until } from './server.ts';

afterEach(cleanUp);

const TOKEN_SECRET = 'a secret that has bytes enough for it';
const OTHER_SECRET = 'another that has bytes enough as well';
const WEB = ['--charts', 'acme/*', '--can', 'read,update', '--sub', 'web-01'];

async function token(flags: readonly string[], secret = TOKEN_SECRET): Promise<string> {
  const { code, stdout, stderr } = await runCli(['token', ...flags], { TOKEN_SECRET: secret });
  expect([code, stderr]).toEqual([0, '']);
  return stdout.trim();
}

async function startGuarded(env: Record<string, string>, flags: readonly string[] = []) {
  const charts = await folderOf({ 'default.yaml': SEQUENCE, 'acme/release.yaml': SEQUENCE });
  return startServer({ charts, flags, env });
}

async function statusOf(url: string, path: string, bearer?: string, method = 'GET'): Promise<number> {
  const headers = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  return (await fetch(`${url}${path}`, { method, headers })).status;
}

describe('a token', () => {
  it('has the claims and the lifetime of its flags', async () => {
    const [, claims = ''] = (await token([...WEB, '--ttl', '12h'])).split('.');
    const { sub, charts, can, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    expect({ sub, charts, can }).toEqual({ sub: 'web-01', charts: ['acme/*'], can: ['read', 'update'] });
    expect(exp - iat).toBe(12 * 60 * 60);
    expect(Math.abs(iat - Date.now() / 1_000)).toBeLessThan(60);
  });
});

describe('a token for one name', () => {
  it('reports as that name and no other', async () => {
    const server = await startGuarded({ TOKEN_SECRET });
    const own = await token([...WEB, '--by', 'web-01']);
    const path = '/acme/release/state?state=drain';
    expect(await statusOf(server.url, `${path}&by=web-02`, own, 'PUT')).toBe(403);
    expect(await statusOf(server.url, path, own, 'PUT')).toBe(200);
    const { stderr, code } = await runCli(['token', ...WEB, '--by', ''], { TOKEN_SECRET });
    expect([code, stderr]).toEqual([2, expect.stringContaining('--by must be a name')]);
  });
});

describe('a server with a secret', () => {
  it('requires tokens, and says so', async () => {
    const server = await startGuarded({ TOKEN_SECRET });
    const path = '/acme/release/state?state=drain';
    await until(() => server.output().includes('requests need a token'));
    expect(await statusOf(server.url, path)).toBe(401);
    const own = await token(WEB);
    expect(await statusOf(server.url, path, own)).toBe(200);
    expect(await statusOf(server.url, path, await token(WEB, OTHER_SECRET))).toBe(401);
    expect(await statusOf(server.url, '/state?state=drain', own)).toBe(403);
    expect(await statusOf(server.url, '/acme/release/reset', own, 'POST')).toBe(403);
    expect(server.output()).not.toContain(TOKEN_SECRET);
  });

  it('accepts tokens of the previous secret', async () => {
    const server = await startGuarded({ TOKEN_SECRET, TOKEN_SECRET_PREVIOUS: OTHER_SECRET });
    for (const secret of [TOKEN_SECRET, OTHER_SECRET]) {
      expect(await statusOf(server.url, '/acme/release', await token(WEB, secret))).toBe(200);
    }
  });

  it('may listen on other interfaces than loopback', async () => {
    const server = await startGuarded({ TOKEN_SECRET }, ['--host', '0.0.0.0']);
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    expect(await statusOf(url, '/acme/release')).toBe(401);
  });
});

describe('a server without a secret', () => {
  it('needs no token on loopback, and warns of it', async () => {
    const server = await startGuarded({});
    const warning = 'every program on this machine may read and change every machine';
    await until(() => server.output().includes(warning));
    expect(await statusOf(server.url, '/acme/release')).toBe(200);
  });

  it('needs no token on other interfaces with --open, and warns of it', async () => {
    const server = await startGuarded({}, ['--host', '0.0.0.0', '--open']);
    const warning = 'every client that reaches 0.0.0.0 may read and change every machine';
    await until(() => server.output().includes(warning));
    expect(await statusOf(server.url.replace('0.0.0.0', '127.0.0.1'), '/acme/release')).toBe(200);
  });
});
