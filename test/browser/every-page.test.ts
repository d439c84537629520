/** Tests of every page in Chromium: tokens, hostile names, accessibility, and use without JavaScript. */
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { folderOf } from '../process/charts.ts';
import { cleanUp, runCli, startServer } from '../process/server.ts';
import { expectAccessibleIn, WINDOWS } from './accessible.ts';
import { answer, closeBrowser, current, openPage, SETTLE, type Watched, whenLive } from './browser.ts';
import { CHART, put, serve } from './pages.ts';

afterEach(cleanUp);
afterAll(closeBrowser);

describe('a viewer', () => {
  const secret = 'a secret that has bytes enough for it';

  async function tokenFor(can: string, ttl = '1h'): Promise<string> {
    const flags = ['token', '--charts', 'acme/*', '--can', can, '--sub', 'me', '--ttl', ttl];
    return (await runCli(flags, { TOKEN_SECRET: secret })).stdout.trim();
  }

  /** Opens the page with a token that is made after the server has started, since its lifetime may be short. */
  async function open(can: string, ttl?: string): Promise<Watched> {
    const charts = await folderOf({ 'acme/canary.yaml': CHART });
    const server = await startServer({ charts, env: { TOKEN_SECRET: secret } });
    const session = {
      name: 'stateservice',
      value: await tokenFor(can, ttl),
      domain: new URL(server.url).hostname,
      path: '/',
      expires: -1,
      httpOnly: true,
      secure: false,
      sameSite: 'Strict',
    } as const;
    return openPage(`${server.url}/acme/canary`, { storageState: { cookies: [session], origins: [] } });
  }

  it('signs in with the form, watches the machine, and signs out', async () => {
    const charts = await folderOf({ 'acme/canary.yaml': CHART });
    const server = await startServer({ charts, env: { TOKEN_SECRET: secret } });
    const watched = await openPage(`${server.url}/acme/canary`);
    const { page, faults } = watched;
    const signIn = async (token: string) => {
      await page.getByLabel('Token', { exact: true }).fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
    };
    expect(await page.content()).not.toContain('canary</text>');
    await signIn('nonsense');
    await page.getByText('The token is not one of ours.').waitFor();
    await signIn(await tokenFor('read,update'));
    await whenLive(watched);
    expect(new URL(page.url()).pathname).toBe('/acme/canary');
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'fail' }).click();
    await answer(page, 'Send fail');
    await current(page, 'rollback').waitFor();
    expect(await page.getByRole('button', { name: 'Reset' }).count()).toBe(0);
    await page.getByText('Signed in as me').waitFor();
    // From a page of another site, which brings no cookie at first.
    await page.goto(`data:text/html,<a href="${server.url}/acme/canary">go</a>`);
    await page.getByText('go').click();
    await whenLive(watched);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${server.url}/acme/canary`);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(faults.filter((fault) => !/401|^data:/.test(fault))).toEqual([]);
  });

  it('reports under the subject of the token', async () => {
    const watched = await open('read,update');
    await whenLive(watched);
    await watched.page.getByText('You report as me.').waitFor();
    for (let i = 0; i < 2; i++) {
      await watched.page.getByRole('button', { name: 'update' }).click();
      await watched.page.getByText('update canary: 200').waitFor();
      // The buttons move when the page shows the first report, which can be after the answer.
      await watched.page.getByText('reported: me').waitFor();
      await watched.page.waitForTimeout(SETTLE);
    }
    await current(watched.page, 'canary').waitFor();
  });

  it('sees that the token has expired, and the page stops', async () => {
    const watched = await open('read', '8s');
    await whenLive(watched);
    await watched.page.getByText('The token has expired.').waitFor();
    expect(await watched.page.locator('#connection').getAttribute('data-state')).toBe('ended');
    await watched.page.getByRole('link', { name: 'Sign in' }).click();
    await watched.page.getByLabel('Token', { exact: true }).waitFor();
    expect(await watched.page.locator('input[name="to"]').getAttribute('value')).toBe('/acme/canary');
  });

  it('with the right to read only sees no buttons', async () => {
    const watched = await open('read');
    await whenLive(watched);
    await current(watched.page, 'canary').waitFor();
    expect(await watched.page.locator('main button:not([data-tool])').count()).toBe(0);
  });
});

describe('without JavaScript', () => {
  it('the page can be read', async () => {
    const server = await serve();
    await put(server, '/acme/canary/state?state=canary&by=web-01');
    const { page, faults } = await openPage(`${server.url}/acme/canary`, { javaScriptEnabled: false });
    await current(page, 'canary').waitFor();
    for (const text of ['reported: web-01', '1 of 2', 'revision 2', 'As of']) {
      expect(await page.getByText(text).filter({ visible: true }).count(), text).toBeGreaterThan(0);
    }
    expect(faults).toEqual([]);
  });
});

describe('hostile names', () => {
  const NAMES = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); '",
    '\u202e\u05d0\u05d1\u05d2 right to left',
    `long ${'x'.repeat(115)}`,
    '</title></svg><b>bold</b>',
    '&lt;amp&amp;',
    '{{template}} #{script}',
  ];

  it('are shown as text on every page', async () => {
    const states = NAMES.map((name, i) => ({
      name,
      func: 'increment',
      current: { key: 'n', value: 0 },
      target: { name: NAMES[i + 1] ?? 'end', when: { key: 'n', value: 1 } },
    }));
    const chart = JSON.stringify({ current_state: NAMES[0], states: [...states, { name: 'end' }] });
    const server = await serve({ 'acme/hostile.yaml': chart });
    const watched = await openPage(`${server.url}/acme/hostile`);
    const { page, faults } = watched;
    await whenLive(watched);
    for (const name of NAMES) {
      await page.locator('.states li').getByText(name, { exact: true }).waitFor();
      expect(await page.title()).toBe(`● ${name} · acme/hostile`.replace(/\s+/g, ' '));
      const by = encodeURIComponent('<script>alert(2)</script>');
      await put(server, `/acme/hostile/state?state=${encodeURIComponent(name)}&by=${by}`);
    }
    await current(page, 'end').waitFor();
    expect(await page.locator('b, img').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(1);
    await page.goto(`${server.url}/acme/hostile/diagram.svg`);
    expect(await page.locator('script, b, img').count()).toBe(0);
    await page.goto(`${server.url}/acme`);
    await page.getByText('acme/hostile').waitFor();
    expect(faults).toEqual([]);
  });
});

describe('every page', () => {
  it.each(WINDOWS)(
    'passes axe-core, fits its window, and sends nothing to other origins: %s',
    async (_, options, colours) => {
      // Nothing listens at this port.
      const env = { HOOK_OPS: `http://127.0.0.1:1/ whsec_${btoa('a secret of the tests, of 32 byte')}` };
      const server = await startServer({ charts: 'charts', env });
      for (const chart of ['canary', 'regions', 'patch', 'approval', 'reboot']) {
        await fetch(`${server.url}/acme/${chart}`);
      }
      await fetch(`${server.url}/acme/patch/claims?state=patch&by=web-01`, { method: 'POST' });
      await put(server, '/acme/canary/state?state=canary&by=web-01');
      await fetch(`${server.url}/acme/canary/pause?reason=lunch&by=ann`, { method: 'POST' });
      const body = 'web-01 zone=eu\nweb-02\n';
      await fetch(`${server.url}/acme/canary@1/members`, { method: 'PUT', body });
      const told =
        'initial: a\nnotify: [{on: a, to: OPS}, {on: a, to: NONE}]\nstates: {a: {on: {update: {target: a, reenter: true}}}}';
      await fetch(`${server.url}/acme/told/chart`, { method: 'PUT', body: told });
      await put(server, '/acme/told/state?state=a&by=web-01');
      // An event that the chart raises, one that leads to failure, and many names.
      const hosts = Array.from({ length: 40 }, (_, i) => `web-${i} zone=north role=canary\n`).join('');
      await fetch(`${server.url}/acme/night/members`, { method: 'PUT', body: hosts });
      await fetch(`${server.url}/acme/night/override?to=rollout.fleet&reason=test`, { method: 'POST' });
      for (let i = 0; i < 8; i++) await put(server, `/acme/night/state?state=rollout.fleet&by=web-${i}`);
      const watched = await openPage(server.url, options);
      const live = ['/', '/acme/canary', '/acme/regions', '/acme/patch', '/acme/night'];
      for (const path of [
        ...live,
        '/acme',
        '/nobody/nothing',
        '/openapi',
        '/signin',
        '/acme/canary/history',
        '/acme/canary/history?event=pause',
        '/acme?sort=changed&order=desc',
        '/no/such/path/at/all',
        '/acme/night/chart',
        '/acme/regions/chart/edit',
        '/acme/canary@1/members',
        '/acme/canary/restore',
        '/acme/told',
        '/acme/nothing/restore',
        '/acme/told/notifications',
      ]) {
        await watched.page.goto(`${server.url}${path}`);
        if (live.includes(path)) await whenLive(watched);
        if (path === '/openapi') await watched.page.locator('#update > summary').click();
        if (path === '/acme/night')
          for (const folded of ['raised', 'more reported', 'more missing'])
            await watched.page.locator(`[data-key="${folded}"] summary`).first().click();
        await expectAccessibleIn(colours, watched);
      }
    },
    // Many pages: some 3 s each on a busy machine.
    120_000,
  );

  it('is less than 60 kB with gzip', async () => {
    const server = await startServer({ charts: 'charts' });
    for (const path of [
      '/',
      '/acme/canary',
      '/acme',
      '/openapi',
      '/acme/night/chart',
      '/acme/night/chart/edit',
      '/acme/canary/members',
      '/acme/canary/notifications',
    ]) {
      let bytes = 0;
      const parts = [path, '/page.js', '/page.css'];
      for (const part of parts) {
        const response = await fetch(`${server.url}${part}`, { headers: { Accept: 'text/html' } });
        bytes += gzipSync(await response.text()).length;
      }
      expect(bytes).toBeLessThan(60_000);
    }
  });
});
