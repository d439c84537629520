/** Links at the edge: what opens one, what they show to whom, and where they are not written down. */

import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answer } from '../../src/edge/app.ts';
import type { Env } from '../../src/edge/env.ts';
import { LINK_LENGTH } from '../../src/request-limits.ts';
import { newChart } from '../charts.ts';
import { FUZZ } from '../fuzz.ts';
import { historyOf, machinePath, send } from '../service.ts';
import { GUARDED, PREVIOUS_SECRET, SECRET, sendAs, sendWith, tokenFor, tokenWith } from '../tokens.ts';

const CHART = 'initial: waiting\nstates: {waiting: {on: {approve: {target: done, quorum: 9}}}, done: {}}';

const ROTATED = { ...GUARDED, TOKEN_SECRET_PREVIOUS: PREVIOUS_SECRET };

/** Makes a link with a token. @returns its path. */
async function linkTo(address: string, query = '', bindings = GUARDED): Promise<string> {
  const token = await tokenWith({}, bindings.TOKEN_SECRET ?? SECRET);
  const path = `${machinePath(address)}/links?state=waiting&event=approve&by=anna${query}`;
  const headers = { Authorization: `Bearer ${token}` };
  const response = await sendWith(bindings, 'POST', path, { headers });
  expect(response.status).toBe(201);
  return response.headers.get('Location') ?? '';
}

async function statusOf(method: string, link: string, bindings = GUARDED): Promise<number> {
  const response = await sendWith(bindings, method, link);
  await response.body?.cancel();
  return response.status;
}

/** The number of reports that the machine has counted. */
async function reportsTo(address: string): Promise<number> {
  return (await historyOf(address)).history.filter(({ cause }) => cause === 'update').length;
}

let address: string;
let link: string;
beforeEach(async () => {
  address = await newChart(CHART);
  link = await linkTo(address);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a link', () => {
  it('needs no token', async () => {
    expect([await statusOf('GET', link), await statusOf('POST', link)]).toEqual([200, 200]);
    expect(await reportsTo(address)).toBe(1);
  });

  it('does not read a token: a wrong one, and one of another name, are no matter', async () => {
    for (const token of ['nonsense', await tokenWith({ charts: ['other/*'], by: 'ben' })])
      expect((await sendAs(token, 'GET', link)).status).toBe(200);
  });

  it('has the name of its maker’s token in the history', async () => {
    const { pathname } = new URL(`https://service.test${link}`);
    await sendAs(undefined, 'POST', pathname);
    const [entry] = (await historyOf(address)).history;
    expect(entry).toMatchObject({ by: 'anna', sub: 'tester', notes: ['by a link'] });
  });

  it('is of one machine: not of another, of a run, of another tenant, of the default one', async () => {
    const signed = link.slice(link.lastIndexOf('/') + 1);
    const others = [await newChart(CHART), `${address}@1`, `other/${address.split('/')[1]}`, 'default'];
    for (const other of others) {
      const path = `${machinePath(other)}/links/${signed}`;
      expect([await statusOf('GET', path), await statusOf('POST', path)], other).toEqual([404, 404]);
    }
    expect(await reportsTo(address)).toBe(0);
  });

  it('is of the default machine at the root', async () => {
    await send('PUT', '/chart?reset=true', { body: CHART });
    const ofDefault = await linkTo('default');
    expect(ofDefault).toMatch(/^\/links\/[\w-]+\.[\w-]{43}$/);
    expect([await statusOf('GET', ofDefault), await statusOf('POST', ofDefault)]).toEqual([200, 200]);
    await send('DELETE', '/');
  });

  it('takes GET, HEAD and POST', async () => {
    const head = await sendWith(GUARDED, 'HEAD', link);
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const response = await sendWith(GUARDED, method, link);
      expect([response.status, response.headers.get('Allow')]).toEqual([405, 'GET, HEAD, POST, OPTIONS']);
    }
    expect(await reportsTo(address)).toBe(0);
  });

  it('takes no parameters', async () => {
    expect(await statusOf('POST', `${link}?by=ben`)).toBe(400);
    expect(await reportsTo(address)).toBe(0);
  });

  it('ends with its ttl, also if it was not used', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const short = await linkTo(address, '&ttl=1h');
    vi.setSystemTime(Date.now() + 3_599_999);
    expect(await statusOf('GET', short)).toBe(200);
    vi.setSystemTime(Date.now() + 1);
    for (const method of ['GET', 'POST']) {
      const response = await sendWith(GUARDED, method, short);
      expect(response.status).toBe(410);
      expect(await response.text()).toContain('The link has expired');
    }
    expect(await reportsTo(address)).toBe(0);
  });

  it('ends after a day by default', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const daily = await linkTo(address);
    vi.setSystemTime(Date.now() + 24 * 3_600_000 - 1);
    expect(await statusOf('GET', daily)).toBe(200);
    vi.setSystemTime(Date.now() + 1);
    expect(await statusOf('GET', daily)).toBe(410);
  });

  it('is no token, and a token is no link', async () => {
    const signed = link.slice(link.lastIndexOf('/') + 1);
    expect((await sendAs(signed, 'GET', `/${address}`)).status).toBe(401);
    const token = await tokenWith();
    expect(await statusOf('GET', `/${address}/links/${token}`)).toBe(404);
  });
});

describe('the secret of links', () => {
  it('is that of the tokens: the previous one is good as well, and no other', async () => {
    const before = await linkTo(address, '', { ...GUARDED, TOKEN_SECRET: PREVIOUS_SECRET });
    expect(await statusOf('GET', before)).toBe(404);
    expect(await statusOf('GET', before, ROTATED)).toBe(200);
    expect(await statusOf('POST', before, ROTATED)).toBe(200);
    expect(await statusOf('GET', link, ROTATED)).toBe(200);
  });

  it('is used by an open service too, if there is one', async () => {
    const open: Partial<Env> = { AUTH: 'open', TOKEN_SECRET: SECRET };
    expect(await statusOf('GET', link, open)).toBe(200);
    expect(await statusOf('GET', await linkTo(address, '', open))).toBe(200);
  });

  it('is not needed by an open service, whose links are good there alone', async () => {
    const made = await send('POST', `/${address}/links?state=waiting&event=approve&by=ben`);
    const open = made.headers.get('Location') ?? '';
    expect((await send('GET', open)).status).toBe(200);
    expect([await statusOf('GET', open), await statusOf('POST', open, ROTATED)]).toEqual([404, 404]);
  });

  it('must be set: links are refused with everything else', async () => {
    expect(await statusOf('GET', link, { AUTH: 'token' })).toBe(503);
  });
});

describe('a link that was changed', () => {
  it('is none, whatever character was', async () => {
    const from = link.lastIndexOf('/') + 1;
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: from, max: link.length - 1 }),
        fc.constantFrom(...ALPHABET),
        async (at, character) => {
          fc.pre(link[at] !== character);
          const changed = link.slice(0, at) + character + link.slice(at + 1);
          expect(await statusOf('POST', changed)).toBe(404);
        },
      ),
      { seed: FUZZ.seed, numRuns: FUZZ.runs / 10 },
    );
    // Each of the texts that stand for the same bytes.
    for (const last of ALPHABET) {
      const changed = link.slice(0, -1) + last;
      expect(await statusOf('GET', changed)).toBe(changed === link ? 200 : 404);
    }
    expect(await reportsTo(address)).toBe(0);
  });

  it.each(['', 'x', '.', 'a.b', '%00', `${'a'.repeat(LINK_LENGTH)}.${'b'.repeat(43)}`])(
    'is none: %j',
    async (text) => {
      expect([400, 404]).toContain(await statusOf('GET', `/${address}/links/${text}x`));
      expect([400, 404]).toContain(await statusOf('GET', `${link}${text}x`));
    },
  );

  it('is refused before any object is called, at addresses with a machine and without', async () => {
    const trap = () => {
      throw new Error('it was called');
    };
    const nowhere = { MACHINES: { getByName: trap }, TENANTS: { getByName: trap } } as unknown as Env;
    const pages = [address, 'nobody/nothing', `${address}@run`].map(async (machine) => {
      const response = await sendWith({ ...GUARDED, ...nowhere }, 'POST', `/${machine}/links/abc.def`);
      return [response.status, await response.text()];
    });
    const [first, ...others] = await Promise.all(pages);
    expect(first?.[0]).toBe(404);
    for (const other of others) expect(other).toEqual(first);
  });
});

describe('who makes links', () => {
  const make = (token: string, query: string) =>
    sendAs(token, 'POST', `/${address}/links?state=waiting&${query}`);

  it('may report: a token with a name of its own makes links for that name alone', async () => {
    const own = await tokenWith({ by: 'ben', can: ['update'] });
    expect((await make(own, 'event=approve&by=anna')).status).toBe(403);
    expect(await (await make(own, 'event=approve')).json()).toMatchObject({ by: 'ben' });
    for (const right of ['read', 'operate', 'admin'] as const)
      expect((await make(await tokenFor(address, right), 'event=approve&by=ben')).status).toBe(403);
  });

  it('does not reach further than its ttl: it outlives the token, and nothing outlives it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const exp = Math.floor(Date.now() / 1_000) + 60;
    const response = await make(await tokenWith({ exp }), 'event=approve&by=ben&ttl=7d');
    const made = response.headers.get('Location') ?? '';
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await statusOf('GET', made)).toBe(200);
    vi.setSystemTime(Date.now() + 7 * 24 * 3_600_000);
    expect(await statusOf('POST', made)).toBe(410);
  });
});

describe('the page of a link', () => {
  it('is kept nowhere, named to nobody, and loads nothing but the style', async () => {
    const refused = await sendWith(GUARDED, 'GET', `${link}x`);
    for (const response of [
      await sendWith(GUARDED, 'GET', link),
      await sendWith(GUARDED, 'POST', link),
      await sendWith(GUARDED, 'POST', link),
      refused,
    ]) {
      const { headers } = response;
      expect(headers.get('Content-Type')).toBe('text/html;charset=UTF-8');
      expect(headers.get('Cache-Control')).toContain('no-store');
      expect(headers.get('Referrer-Policy')).toBe('no-referrer');
      expect(headers.get('X-Robots-Tag')).toBe(response === refused ? null : 'noindex');
      const policy = headers.get('Content-Security-Policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('script-src');
      const html = await response.text();
      expect(html).not.toContain('<script');
      // The form has no action: the link is not in the page.
      expect(html).not.toContain(link.slice(-43));
      expect([...html.matchAll(/(?:href|src|action)="(?!data:)([^"]*)"/g)].map(([, url]) => url)).toEqual([
        '/page.css',
      ]);
    }
  });

  it('is sent by its own form, and by no page of another site', async () => {
    const from = (headers: Record<string, string>) => sendWith(GUARDED, 'POST', link, { headers });
    const foreign = await from({ Origin: 'https://evil.test' });
    expect([foreign.status, foreign.headers.get('Content-Type')]).toEqual([403, 'text/html;charset=UTF-8']);
    expect((await from({ Origin: 'null' })).status).toBe(403);
    expect((await from({ 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect(await reportsTo(address)).toBe(0);
    expect((await from({ Origin: 'https://service.test' })).status).toBe(200);
    expect((await from({ Origin: 'null', 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200);
    expect(await reportsTo(address)).toBe(1);
  });

  it('is for the names of this server', async () => {
    expect(await statusOf('GET', link, { ...GUARDED, ALLOWED_HOSTS: 'other.test' })).toBe(421);
  });

  it('is counted by the rate limit, by the address of the client', async () => {
    const limit = vi.fn(async (_: { key: string }) => ({ success: false }));
    const headers = { 'CF-Connecting-IP': '192.0.2.7', Authorization: `Bearer ${await tokenWith()}` };
    const bindings = { ...GUARDED, RATE_LIMIT: { limit } };
    expect((await sendWith(bindings, 'GET', link, { headers })).status).toBe(429);
    expect(limit.mock.calls).toEqual([[{ key: 'ip:192.0.2.7' }]]);
  });

  it('shows names as text', async () => {
    const name = '<script>alert(1)</script>';
    const hostile = await newChart(
      JSON.stringify({ initial: name, states: { [name]: { on: { [name]: 'b' } }, b: {} } }),
    );
    const query = new URLSearchParams({ state: name, event: name, by: name });
    const made = await send('POST', `/${hostile}/links?${query}`);
    for (const method of ['GET', 'POST', 'POST']) {
      const html = await (await send(method, made.headers.get('Location') ?? '')).text();
      expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
      expect(html).not.toContain('<script');
    }
  });
});

describe('no log', () => {
  it('has a link: of requests, of faults, however its path is spelled', async () => {
    const written = [
      vi.spyOn(console, 'log').mockImplementation(() => {}),
      vi.spyOn(console, 'error').mockImplementation(() => {}),
    ];
    const broken = {
      getByName() {
        throw new Error('the object cannot be called');
      },
    } as unknown as Env['MACHINES'];
    const logging: Partial<Env> = { ...GUARDED, LOG: 'requests' };
    const encoded = link.replace('/links/', '/%6Cin%6Bs/');
    expect(await statusOf('GET', encoded, logging)).toBe(200);
    for (const method of ['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS']) await statusOf(method, link, logging);
    await statusOf('GET', `${link}%zz`, logging);
    await statusOf('GET', `${link}/`, logging);
    const failed = await answer(new Request(`https://service.test${link}`), {
      ...env,
      ...logging,
      MACHINES: broken,
    });
    expect(failed.status).toBe(500);
    await sendWith(logging, 'POST', `/${address}/links?state=waiting&event=approve&by=cleo`, {
      headers: { Authorization: `Bearer ${await tokenWith()}` },
    });
    const lines = JSON.stringify(written.map((spy) => spy.mock.calls.map((line) => line.map(String))));
    expect(lines).toContain(`/${address}/links/…`);
    expect(lines).toContain('the object cannot be called');
    // The signature of this link, and how the body of each begins.
    expect(lines).not.toContain(link.slice(-43));
    expect(lines).not.toContain(btoa('{"state":"waiting"').slice(0, 20));
  });

  it('nor has the history, nor the status', async () => {
    await statusOf('POST', link);
    const texts = await Promise.all(
      ['', '/history', '/reports?state=waiting', '/metrics'].map(async (path) =>
        (await send('GET', `/${address}${path}`)).text(),
      ),
    );
    expect(texts.join()).not.toContain(link.slice(-43));
  });
});
