/** Sessions of browsers, and what browsers get in place of problem details. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { answer } from '../../src/edge/app.ts';
import { SESSION_TOKEN_LENGTH } from '../../src/request-limits.ts';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { send } from '../service.ts';
import { GUARDED, inSeconds, sendAs, sendWith, tokenFor, tokenWith } from '../tokens.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const address = await newChart(sequence(counting('a', 'b', 1_000), final('b')));
const [tenant = ''] = address.split('/');

/** Sends the form. */
async function signIn(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return sendWith(GUARDED, 'POST', '/signin', {
    body: new URLSearchParams(form),
    headers: { Accept: BROWSER, 'Sec-Fetch-Site': 'same-origin', ...headers },
    redirect: 'manual',
  });
}

function cookieIn(response: Response): string {
  return (response.headers.get('Set-Cookie') ?? '').split(';')[0] ?? '';
}

describe('signing in', () => {
  it('keeps the token in a cookie that no script and no other site can use, until it expires', async () => {
    const token = await tokenWith({ exp: inSeconds(600) });
    const response = await signIn({ token, to: `/${address}?after=1` });
    expect([response.status, response.headers.get('Location')]).toEqual([303, `/${address}?after=1`]);
    const [pair = '', ...attributes] = (response.headers.get('Set-Cookie') ?? '').split('; ');
    expect(pair).toBe(`__Host-stateservice=${token}`);
    expect(attributes).toEqual(expect.arrayContaining(['Path=/', 'HttpOnly', 'SameSite=Strict', 'Secure']));
    const [, age] = /Max-Age=(\d+)/.exec(attributes.join()) ?? [];
    expect(Number(age)).toBeGreaterThan(590);
    expect(Number(age)).toBeLessThanOrEqual(600);
  });

  it('lets the cookie do what its token may, and nothing else', async () => {
    const Cookie = cookieIn(await signIn({ token: await tokenFor(address, 'read') }));
    const status = async (method: string, path: string) =>
      (await sendWith(GUARDED, method, path, { headers: { Cookie } })).status;
    expect(await status('GET', `/${address}/state?state=a`)).toBe(200);
    expect(await status('PUT', `/${address}/state?state=a`)).toBe(403);
    expect(await status('GET', `/${newAddress()}`)).toBe(403);
  });

  it('goes to a path of this service, and to no other', async () => {
    const token = await tokenWith();
    for (const to of [
      '//evil.test/',
      '/\\evil.test',
      'https://evil.test/',
      '',
      'javascript:alert(1)',
      '/\t/evil.test',
      '/.//evil.test/x',
      '/%2e//evil.test/x',
      '/a/..//evil.test/x',
      '/.\\\\evil.test/x',
      '/.///evil.test/x',
    ]) {
      expect([to, (await signIn({ token, to })).headers.get('Location')]).toEqual([to, '/']);
    }
  });

  it('shows the form again with the reason, and sets no cookie, for what is no token', async () => {
    const tokens = [
      '',
      'nonsense',
      await tokenWith({ exp: inSeconds(-5) }),
      'x'.repeat(SESSION_TOKEN_LENGTH + 1),
    ];
    for (const token of tokens) {
      const response = await signIn({ token, to: '/acme' });
      expect([response.status, response.headers.get('Set-Cookie')]).toEqual([401, null]);
      expect(await response.text()).toMatch(/<p role="alert"[^>]*>.*value="\/acme"/s);
    }
  });

  it('takes a token as it is pasted, with `Bearer` and space around it', async () => {
    expect((await signIn({ token: ` Bearer ${await tokenWith()}\n` })).status).toBe(303);
  });

  it('is refused from a page of another site, as what the cookie would do', async () => {
    const token = await tokenWith();
    const foreign = { Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' };
    expect((await signIn({ token }, foreign)).status).toBe(403);
    const Cookie = cookieIn(await signIn({ token }));
    const put = (headers: Record<string, string>) =>
      sendWith(GUARDED, 'PUT', `/${address}/state?state=a`, { headers: { Cookie, ...headers } });
    expect((await put(foreign)).status).toBe(403);
    expect((await put({ 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200);
  });

  it('needs no token where the service needs none', async () => {
    const response = await send('POST', '/signin', { body: 'token=&to=/acme', redirect: 'manual' });
    expect([response.status, response.headers.get('Location')]).toEqual([303, '/acme']);
  });

  it('does not read a form that is too large', async () => {
    expect((await signIn({ token: 'x'.repeat(20_000) })).status).toBe(413);
  });

  it('over https, is not begun by a cookie that another host of the domain can set', async () => {
    const Cookie = `stateservice=${await tokenWith({ sub: 'mallory' })}`;
    const statusAt = async (url: string, headers: Record<string, string> = {}) => {
      const request = new Request(url, { headers: { Cookie, ...headers } });
      return (await answer(request, { ...env, ...GUARDED })).status;
    };
    const path = `service.test/${address}/state?state=a`;
    expect(await statusAt(`https://${path}`)).toBe(401);
    // A proxy speaks https with the browser.
    expect(await statusAt(`http://${path}`, { Origin: 'https://service.test' })).toBe(401);
    // As on loopback, where the cookie has no other name.
    expect(await statusAt(`http://${path}`)).toBe(200);
    const own = `__Host-stateservice=${await tokenWith()}`;
    expect(await statusAt(`https://${path}`, { Cookie: `stateservice=nonsense; ${own}` })).toBe(200);
    expect(await statusAt(`http://${path}`, { Cookie: `stateservice=nonsense; ${own}` })).toBe(200);
  });

  it('gives way to `Authorization`', async () => {
    const Cookie = cookieIn(await signIn({ token: await tokenWith() }));
    const response = await sendAs('nonsense', 'GET', `/${address}`, { headers: { Cookie } });
    expect(response.status).toBe(401);
  });
});

describe('a session', () => {
  it('is shown with its subject, and ends with the button', async () => {
    const token = await tokenWith({ sub: 'ann' });
    const Cookie = cookieIn(await signIn({ token }));
    for (const path of [`/${address}`, `/${tenant}`, '/signout']) {
      const response = await sendWith(GUARDED, 'GET', path, { headers: { Cookie, Accept: BROWSER } });
      expect(await response.text(), path).toMatch(/Signed in as ann<form method="post" action="\/signout">/);
    }
    const ended = await sendWith(GUARDED, 'POST', '/signout', { headers: { Cookie }, redirect: 'manual' });
    expect([ended.status, ended.headers.get('Location')]).toEqual([303, '/signin']);
    expect(ended.headers.get('Set-Cookie')).toMatch(/^__Host-stateservice=; .*Max-Age=0/);
  });

  it('has no button for a token that the browser sends itself', async () => {
    const response = await sendAs(await tokenWith({ sub: 'ann' }), 'GET', `/${address}`, {
      headers: { Accept: BROWSER },
    });
    const text = await response.text();
    expect(text).toContain('Signed in as ann');
    expect(text).not.toContain('/signout');
  });
});

describe('a refusal', () => {
  const page = async (path: string, headers: Record<string, string> = {}) => {
    const response = await sendWith(GUARDED, 'GET', path, { headers: { Accept: BROWSER, ...headers } });
    expect(response.headers.get('Content-Type')).toBe('text/html;charset=UTF-8');
    return { status: response.status, text: await response.text(), headers: response.headers };
  };

  it('of a request without a token is the form, which leads back to it', async () => {
    const { status, text, headers } = await page(`/${address}?after=1`);
    expect(status).toBe(401);
    expect(text).toContain(`<input type="hidden" name="to" value="/${address}?after=1"/>`);
    expect(text).toContain('curl -H &quot;Authorization: Bearer $TOKEN&quot;');
    // For `Basic`, a browser would show its own prompt.
    expect(headers.get('WWW-Authenticate')).toBe('Bearer realm="StateService"');
    const program = await sendWith(GUARDED, 'GET', `/${address}`);
    expect(program.headers.get('WWW-Authenticate')).toContain('Basic');
  });

  it('of a link on another site, which brings no cookie, is asked for once more from here', async () => {
    expect((await page(`/${address}`, { 'Sec-Fetch-Site': 'cross-site' })).headers.get('Refresh')).toBe('0');
    expect(
      (await page(`/${address}`, { 'Sec-Fetch-Site': 'same-origin' })).headers.get('Refresh'),
    ).toBeNull();
  });

  it('says what to do next, with the curl that does it', async () => {
    const Cookie = cookieIn(await signIn({ token: await tokenFor('acme/*', 'read') }));
    const forbidden = await page(`/${address}`, { Cookie });
    expect(forbidden.status).toBe(403);
    expect(forbidden.text).toContain('Sign in with another token');
    const absent = await page('/acme/nothing@1', { Cookie });
    expect(absent.status).toBe(404);
    expect(absent.text).toContain(
      'curl -X PUT --data-binary @chart.yaml &#39;https://service.test/acme/nothing/chart&#39;',
    );
    expect(absent.text).toContain('<a href="/acme">');
    const wrong = await page('/acme?limit=x', { Cookie });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('curl -i &#39;https://service.test/acme?limit=x&#39;');
    expect((await page('/a/b/c/d', { Cookie })).status).toBe(404);
  });

  it('shows what the request says as text', async () => {
    const { text } = await page("/acme/x/%3Cscript%3E?a=<b>'");
    expect(text).not.toMatch(/<script>|<b>/);
    expect(text).toContain('%27');
  });

  it('is problem details for programs', async () => {
    for (const accept of ['*/*', 'application/json', 'text/plain']) {
      const response = await sendWith(GUARDED, 'GET', `/${address}`, { headers: { Accept: accept } });
      expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    }
  });
});

it('the icon is there for what has no page', async () => {
  const response = await send('GET', '/favicon.ico');
  expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'image/svg+xml']);
});
