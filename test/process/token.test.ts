/** Tokens from the command line, and servers that ask for them. */
import { afterEach, describe, expect, it } from 'vitest';
import { folderOf, SEQUENCE } from './charts.ts';
import { cleanUp, runCli, startServer } from './server.ts';

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
  it('says what it was asked to, until when it was asked to', async () => {
    const [, claims = ''] = (await token([...WEB, '--ttl', '12h'])).split('.');
    const { sub, charts, can, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    expect({ sub, charts, can }).toEqual({ sub: 'web-01', charts: ['acme/*'], can: ['read', 'update'] });
    expect(exp - iat).toBe(12 * 60 * 60);
    expect(Math.abs(iat - Date.now() / 1_000)).toBeLessThan(60);
  });

  it.each([
    ['no machines', ['--can', 'read', '--sub', 'x'], '--charts is missing'],
    [
      'machines that there cannot be',
      ['--charts', 'acme/../x', '--can', 'read', '--sub', 'x'],
      'acme/../x is no',
    ],
    ['a tenant alone', ['--charts', 'acme', '--can', 'read', '--sub', 'x'], 'acme is no'],
    ['no rights', ['--charts', '*', '--sub', 'x'], '--can takes read, update, admin'],
    ['a right that there is not', ['--charts', '*', '--can', 'read,write', '--sub', 'x'], '--can takes'],
    ['nobody', ['--charts', '*', '--can', 'read'], '--sub must be'],
    ['no duration', [...WEB, '--ttl', 'soon'], '--ttl soon is no'],
    ['no time at all', [...WEB, '--ttl', '0s'], '--ttl 0s is no'],
    ['a flag that there is not', [...WEB, '--secret', 'x'], "Unknown option '--secret'"],
  ])('is not made of %s', async (_, flags, why) => {
    const { code, stdout, stderr } = await runCli(['token', ...flags], { TOKEN_SECRET });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(why);
  });

  it.each([
    ['no secret', ''],
    ['a short one', 'short'],
  ])('is not made with %s, which is not shown', async (_, secret) => {
    const { code, stdout, stderr } = await runCli(['token', ...WEB], { TOKEN_SECRET: secret });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe('stateservice: TOKEN_SECRET of the environment must have 32 bytes at least\n');
  });
});

describe('a server with a secret', () => {
  it('asks for tokens, and says so', async () => {
    const server = await startGuarded({ TOKEN_SECRET });
    const path = '/acme/release/state?state=drain';
    expect(server.output()).toContain('requests need a token');
    expect(await statusOf(server.url, path)).toBe(401);
    expect(await statusOf(server.url, path, await token(WEB))).toBe(200);
    expect(await statusOf(server.url, path, await token(WEB, OTHER_SECRET))).toBe(401);
    expect(await statusOf(server.url, '/state?state=drain', await token(WEB))).toBe(403);
    expect(await statusOf(server.url, '/acme/release/reset', await token(WEB), 'POST')).toBe(403);
    expect(server.output()).not.toContain(TOKEN_SECRET);
  });

  it('takes the secret before as well', async () => {
    const server = await startGuarded({ TOKEN_SECRET, TOKEN_SECRET_PREVIOUS: OTHER_SECRET });
    for (const secret of [TOKEN_SECRET, OTHER_SECRET]) {
      expect(await statusOf(server.url, '/acme/release', await token(WEB, secret))).toBe(200);
    }
  });

  it('may listen where others reach it', async () => {
    const server = await startGuarded({ TOKEN_SECRET }, ['--host', '0.0.0.0']);
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    expect(await statusOf(url, '/acme/release')).toBe(401);
  });
});

describe('a server without a secret', () => {
  it('is open to its own machine', async () => {
    const server = await startGuarded({});
    expect(server.output()).toContain('whoever is on this machine may read and change every machine');
    expect(await statusOf(server.url, '/acme/release')).toBe(200);
  });

  it.each(['0.0.0.0', '::'])('is not open to others unless that is said: %s', async (host) => {
    const { code, stderr } = await runCli(['serve', '--port', '0', '--host', host]);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `stateservice: whoever reaches ${host} could read and change every machine: set TOKEN_SECRET, or say --open\n`,
    );
  });

  it('is open to others where that is said, and warns of it', async () => {
    const server = await startGuarded({}, ['--host', '0.0.0.0', '--open']);
    expect(server.output()).toContain('whoever reaches 0.0.0.0 may read and change every machine');
    expect(await statusOf(server.url.replace('0.0.0.0', '127.0.0.1'), '/acme/release')).toBe(200);
  });
});

describe('what contradicts itself', () => {
  it.each([
    ['a secret, and open', { TOKEN_SECRET }, ['--open'], 'say one of them'],
    ['a secret, and AUTH=open', { TOKEN_SECRET, AUTH: 'open' }, [], 'say one of them'],
    ['AUTH=token, and no secret', { AUTH: 'token' }, [], 'must have 32 bytes at least'],
    ['an empty secret', { TOKEN_SECRET: '' }, [], 'must have 32 bytes at least'],
    ['the secret before, and none now', { TOKEN_SECRET_PREVIOUS: OTHER_SECRET }, [], 'must have 32 bytes'],
    ['another AUTH', { AUTH: 'off' }, [], 'AUTH in the environment must be token or open'],
    ['a short secret', { TOKEN_SECRET: 'short' }, [], 'must have 32 bytes at least'],
  ])('is not served: %s', async (_, env, flags, why) => {
    const { code, stderr } = await runCli(['serve', '--port', '0', ...flags], env);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });
});
