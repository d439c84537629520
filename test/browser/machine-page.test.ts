/** A machine's page in Chromium. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { folderOf } from '../process/charts.ts';
import { cleanUp, runCli, type Server, startServer, temporaryFolder } from '../process/server.ts';
import { answer, closeBrowser, current, openPage, SETTLE, type Watched, whenLive } from './browser.ts';

afterEach(cleanUp);
afterAll(closeBrowser);

const CHART = `
initial: canary
states:
  canary:
    on: {update: {target: fleet, quorum: 2}, fail: rollback}
    after: {2h: rollback}
  fleet: {slots: 2, on: {update: released}}
  released: {type: final}
  rollback: {type: final}
`;

async function serve(files: Record<string, string> = { 'acme/canary.yaml': CHART }): Promise<Server> {
  return startServer({ charts: await folderOf(files) });
}

async function put(server: Server, path: string): Promise<void> {
  const response = await fetch(`${server.url}${path}`, { method: 'PUT' });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
}

describe('an open page', () => {
  it('shows a report within a second, without a reload', async () => {
    const server = await serve();
    const watched = await openPage(`${server.url}/acme/canary`);
    const { page, faults } = watched;
    await whenLive(watched);
    await current(page, 'canary').waitFor();
    await page.evaluate('globalThis.sameDocument = true');
    await put(server, '/acme/canary/state?state=canary&by=web-01');
    await page.getByText('1 of 2').first().waitFor({ timeout: 1_000 });
    await page.getByText('reported: web-01').waitFor({ timeout: 1_000 });
    const began = performance.now();
    await put(server, '/acme/canary/state?state=canary&by=web-02');
    await current(page, 'fleet').waitFor({ timeout: 1_000 });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(await page.title()).toBe('● fleet · acme/canary');
    expect(await page.locator('.state.visited').getAttribute('data-state')).toBe('canary');
    expect(await page.evaluate('globalThis.sameDocument')).toBe(true);
    expect(faults).toEqual([]);
  });

  it('sends reports with its buttons, and shows the response', async () => {
    const server = await serve();
    const watched = await openPage(`${server.url}/acme/canary`, {}, 'ann');
    const { page, faults } = watched;
    await whenLive(watched);
    await page.getByRole('button', { name: 'fail' }).click();
    await answer(page, 'Send fail');
    await page.getByText('fail canary: 200, done').waitFor();
    await current(page, 'rollback').waitFor();
    expect(await page.title()).toBe('✓ rollback · acme/canary');
    expect(await page.getByRole('button', { name: 'fail' }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('disables a button whose report would be refused, and says why', async () => {
    const server = await serve();
    await put(server, '/acme/canary/state?state=canary');
    await put(server, '/acme/canary/state?state=canary');
    const { page } = await openPage(`${server.url}/acme/canary`, {}, 'ann');
    const button = page.getByRole('button', { name: 'update' });
    await page.locator('[data-key^="fleet"][aria-disabled="true"]').waitFor();
    await button.click({ force: true });
    await page.getByText('ann holds no slot of fleet').waitFor();
    await current(page, 'fleet').waitFor();
    await fetch(`${server.url}/acme/canary/claims?state=fleet&by=ann`, { method: 'POST' });
    await page.locator('[data-key^="fleet"]:not([aria-disabled])').waitFor();
  });

  it('aborts while others hold all slots: only a counted event needs one', async () => {
    const patch = await readFile(join(import.meta.dirname, '../../charts/acme/patch.yaml'), 'utf8');
    const server = await serve({ 'acme/patch.yaml': patch });
    for (let host = 1; host <= 5; host++)
      await fetch(`${server.url}/acme/patch/claims?state=patch&by=host-${host}`, { method: 'POST' });
    const watched = await openPage(`${server.url}/acme/patch`, {}, 'ann');
    const { page, faults } = watched;
    await whenLive(watched);
    await page.getByText('5 of 5 slots of patch').waitFor();
    await page.getByRole('button', { name: 'abort' }).click();
    await answer(page, 'Send abort');
    await page.getByText('abort patch: 200').waitFor();
    await current(page, 'aborted').waitFor();
    expect(await (await fetch(`${server.url}/acme/patch`)).json()).toMatchObject({
      states: ['aborted'],
      claims: [],
    });
    expect(faults).toEqual([]);
  });

  it('resets only after a confirmation', async () => {
    const server = await serve();
    await put(server, '/acme/canary/state?state=canary&event=fail');
    const watched = await openPage(`${server.url}/acme/canary`, {}, 'ann');
    const { page, faults } = watched;
    await whenLive(watched);
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await current(page, 'rollback').waitFor();
    for (const key of ['Escape', 'Enter']) {
      await page.getByRole('button', { name: 'Reset' }).click();
      await page.keyboard.press(key);
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await current(page, 'rollback').waitFor();
    }
    await page.getByRole('button', { name: 'Reset' }).click();
    await answer(page, 'Reset');
    await current(page, 'canary').waitFor();
    const history = await (await fetch(`${server.url}/acme/canary/history`)).text();
    expect(history.match(/"cause": "reset"/g)).toHaveLength(1);
    expect(faults).toEqual([]);
  });

  it('says that the connection is lost, and catches up after it is back', async () => {
    const charts = await folderOf({ 'acme/canary.yaml': CHART });
    const data = await temporaryFolder();
    const server = await startServer({ charts, data });
    const watched = await openPage(`${server.url}/acme/canary`);
    await whenLive(watched);
    await server.kill9();
    await watched.page.getByText('Not connected').waitFor();
    const again = await startServer({ charts, data, flags: ['--port', new URL(server.url).port] });
    await put(again, '/acme/canary/state?state=canary&event=fail');
    await whenLive(watched);
    await current(watched.page, 'rollback').waitFor();
  });

  it('shows claims with their leases, and updates the time left', async () => {
    const server = await serve();
    await put(server, '/acme/canary/state?state=canary');
    const watched = await openPage(`${server.url}/acme/canary`);
    const { page } = watched;
    await whenLive(watched);
    // Rounded to seconds: in the first half second it is still two hours.
    const left = () => page.locator('[data-due]').textContent();
    await expect.poll(left, { timeout: 3_000 }).toBe('1h 59m left');
    await put(server, '/acme/canary/state?state=canary');
    await fetch(`${server.url}/acme/canary/claims?state=fleet&by=web-07`, { method: 'POST' });
    await page.getByText('1 of 2 slots of fleet').waitFor();
    const lease = page.locator('li', { hasText: 'web-07' }).locator('time');
    const before = await lease.textContent();
    await expect.poll(() => lease.textContent(), { timeout: 3_000 }).not.toBe(before);
  });

  it('keeps the focus', async () => {
    const server = await serve();
    const watched = await openPage(`${server.url}/acme/canary`);
    const { page } = watched;
    await whenLive(watched);
    await page.getByRole('button', { name: 'fail' }).focus();
    await put(server, '/acme/canary/state?state=canary&by=a');
    await page.getByText('1 of 2').first().waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toContain('fail');
  });

  it('can be used with the keyboard alone', async () => {
    const server = await serve();
    const watched = await openPage(`${server.url}/acme/canary`, {}, 'ann');
    const { page } = watched;
    await whenLive(watched);
    const reached: string[] = [];
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate<string>('document.activeElement.textContent.trim().slice(0, 12)'));
      if (reached.at(-1)?.startsWith('fail')) break;
    }
    expect(reached.at(-1)).toContain('fail');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.waitForTimeout(SETTLE);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await current(page, 'rollback').waitFor();
    // The button is gone: its section has the focus, where a key presses nothing.
    await expect.poll(() => page.evaluate('document.activeElement.dataset.part')).toBe('actions');
  });
});

describe('two reporters', () => {
  const APPROVAL = `
initial: waiting
states:
  waiting: {on: {approve: {target: deploy, quorum: 2}, reject: rejected}}
  deploy: {on: {update: deployed}}
  deployed: {type: final}
  rejected: {type: final, tags: [failed]}
`;

  it('complete a quorum of two: each enters a name once, and counts once', async () => {
    const server = await serve({ 'acme/approval.yaml': APPROVAL });
    const watched = await openPage(`${server.url}/acme/approval`);
    const { page, faults } = watched;
    await whenLive(watched);
    const approve = page.getByRole('button', { name: 'approve' });
    await approve.click();
    await page.getByLabel('Your name').fill('ann');
    await answer(page, 'Use this name');
    await page.getByText('reported: ann').waitFor();
    await page.waitForTimeout(SETTLE);
    await approve.click();
    await page.getByText('approve waiting: 200').waitFor();
    await page.getByText('1 of 2').first().waitFor();
    await current(page, 'waiting').waitFor();
    const other = await openPage(`${server.url}/acme/approval`, {}, 'bob');
    await whenLive(other);
    await other.page.getByRole('button', { name: 'approve' }).click();
    await current(page, 'deploy').waitFor();
    await page.locator('tr', { hasText: 'approve' }).getByText('bob').waitFor();
    expect([...faults, ...other.faults]).toEqual([]);
  });

  it('send nothing with a click that was meant for another button', async () => {
    const server = await serve({ 'acme/approval.yaml': APPROVAL });
    await put(server, '/acme/approval/state?state=waiting&event=approve&by=bob');
    const watched = await openPage(`${server.url}/acme/approval`, {}, 'ann');
    const { page } = watched;
    await whenLive(watched);
    const box = await page.getByRole('button', { name: 'approve' }).boundingBox();
    if (box === null) throw new Error('the button has no box');
    for (let i = 0; i < 4; i++) {
      await page.mouse.click(box.x + 10, box.y + box.height / 2);
      await page.waitForTimeout(150);
    }
    await current(page, 'deploy').waitFor();
    await page.waitForTimeout(300);
    const history = await (await fetch(`${server.url}/acme/approval/history`)).json();
    expect(history).toMatchObject({
      history: [{ event: 'approve' }, { event: 'approve' }, { cause: 'start' }],
    });
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

describe('a page whose machine is deleted', () => {
  it('says so, stops fetching, and creates nothing', async () => {
    const server = await serve();
    await put(server, '/acme/canary@1/state?state=canary');
    const watched = await openPage(`${server.url}/acme/canary@1`, {}, 'ann');
    const { page } = watched;
    await whenLive(watched);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await fetch(`${server.url}/acme/canary@1`, { method: 'DELETE' });
    await page.getByText('The machine was deleted').waitFor();
    expect(await page.locator('#connection').getAttribute('data-state')).toBe('ended');
    await page.waitForTimeout(4_000);
    expect(requests).toEqual([]);
    const list = await (
      await fetch(`${server.url}/acme`, { headers: { Accept: 'application/json' } })
    ).text();
    expect(list).not.toContain('canary@1');
    await page.getByRole('button', { name: 'fail' }).click({ force: true });
    await page.locator('#answer').getByText('The machine was deleted').waitFor();
    expect(requests).toEqual([]);
  });

  it('says that the machine no longer exists after a 404', async () => {
    const charts = await folderOf({ 'acme/canary.yaml': CHART });
    const server = await startServer({ charts });
    const watched = await openPage(`${server.url}/acme/canary`);
    await whenLive(watched);
    await watched.page.route('**/acme/canary', (route) => route.fulfill({ status: 404, body: 'gone' }));
    await put(server, '/acme/canary/state?state=canary');
    await watched.page.getByText('This machine no longer exists').waitFor();
    expect(await watched.page.title()).toMatch(/^○/);
  });
});

describe('a page whose machine changes', () => {
  it('keeps its scroll position, its selection and unchanged nodes', async () => {
    const states = Array.from({ length: 60 }, (_, i) => `s${i}: {on: {update: s${i + 1}}}`);
    const text = `initial: s0\nstates:\n  ${states.join('\n  ')}\n  s60: {}\n`;
    const server = await serve({ 'acme/long.yaml': text });
    const watched = await openPage(`${server.url}/acme/long`, {}, 'ann');
    const { page } = watched;
    await whenLive(watched);
    await page.evaluate(`{
      document.querySelector('.drawn').scrollTop = 500;
      const cell = document.querySelector('tbody tr:last-child td:nth-child(2)');
      getSelection().selectAllChildren(cell);
      globalThis.svg = document.querySelector('svg');
    }`);
    for (let i = 0; i < 3; i++) await put(server, `/acme/long/state?state=s${i}&by=bob`);
    await current(page, 's3').waitFor();
    const seen = await page.evaluate(`[
      document.querySelector('.drawn').scrollTop,
      getSelection().toString(),
      globalThis.svg === document.querySelector('svg'),
      document.querySelectorAll('tbody tr').length,
    ]`);
    expect(seen).toEqual([500, 'start', true, 4]);
  });

  it('is fetched at most four times a second', async () => {
    const server = await serve({
      'acme/busy.yaml': 'initial: a\nstates: {a: {on: {update: {target: b, quorum: 9999}}}, b: {}}',
    });
    const watched = await openPage(`${server.url}/acme/busy`, {}, 'ann');
    const { page } = watched;
    await whenLive(watched);
    await page.waitForTimeout(500);
    const asked: number[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/acme/busy')) asked.push(performance.now());
    });
    const began = performance.now();
    let updates = 0;
    while (performance.now() - began < 3_000) {
      await Promise.all(Array.from({ length: 8 }, () => put(server, '/acme/busy/state?state=a')));
      updates += 8;
    }
    expect(updates).toBeGreaterThan(100);
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.length).toBeLessThanOrEqual(13);
    await page.getByText(`${updates} of 9999`).first().waitFor();
  });
});

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
    const httpCredentials = { username: 'me', password: await tokenFor(can, ttl) };
    return openPage(`${server.url}/acme/canary`, { httpCredentials });
  }

  it('with a wrong token sees nothing', async () => {
    const charts = await folderOf({ 'acme/canary.yaml': CHART });
    const server = await startServer({ charts, env: { TOKEN_SECRET: secret } });
    const httpCredentials = { username: 'me', password: 'nonsense' };
    const { page } = await openPage(`${server.url}/acme/canary`, { httpCredentials });
    const text = await page.content();
    expect(text).toContain('The token is not one of ours.');
    expect(text).not.toContain('canary</text>');
  });

  it('signs in with the browser’s own prompt, and watches the machine', async () => {
    const watched = await open('read,update');
    await whenLive(watched);
    await watched.page.getByRole('button', { name: 'fail' }).click();
    await answer(watched.page, 'Send fail');
    await current(watched.page, 'rollback').waitFor();
    expect(await watched.page.getByRole('button', { name: 'Reset' }).count()).toBe(0);
    expect(watched.faults.filter((fault) => !fault.includes('401'))).toEqual([]);
  });

  it('reports under the subject of the token', async () => {
    const watched = await open('read,update');
    await whenLive(watched);
    await watched.page.getByText('You report as me.').waitFor();
    for (let i = 0; i < 2; i++) {
      await watched.page.getByRole('button', { name: 'update' }).click();
      await watched.page.getByText('update canary: 200').waitFor();
      await watched.page.waitForTimeout(SETTLE);
    }
    await watched.page.getByText('reported: me').waitFor();
    await current(watched.page, 'canary').waitFor();
  });

  it('whose token expires is told so, and the page stops', async () => {
    const watched = await open('read', '6s');
    await whenLive(watched);
    await watched.page.getByText('The token has expired.').waitFor();
    expect(await watched.page.locator('#connection').getAttribute('data-state')).toBe('ended');
  });

  it('with the right to read only sees no buttons', async () => {
    const watched = await open('read');
    await whenLive(watched);
    await current(watched.page, 'canary').waitFor();
    expect(await watched.page.getByRole('button').count()).toBe(0);
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
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const SIGHTS = [
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['on a phone', { viewport: { width: 390, height: 844 } }],
    ['without motion', { reducedMotion: 'reduce' }],
  ] as const;

  it.each(SIGHTS)(
    'passes axe-core, fits its window, and sends nothing to other origins: %s',
    async (_, options) => {
      const server = await startServer({ charts: 'charts' });
      for (const chart of ['canary', 'regions', 'patch', 'approval', 'reboot']) {
        await fetch(`${server.url}/acme/${chart}`);
      }
      await fetch(`${server.url}/acme/patch/claims?state=patch&by=web-01`, { method: 'POST' });
      await put(server, '/acme/canary/state?state=canary&by=web-01');
      const live = ['/', '/acme/canary', '/acme/regions', '/acme/patch'];
      for (const path of [...live, '/acme', '/nobody/nothing', '/openapi']) {
        const { page, faults } = await openPage(`${server.url}${path}`, options);
        if (live.includes(path)) await whenLive({ page, faults });
        if (path === '/openapi') await page.locator('#update > summary').click();
        const violations = await page.evaluate(`${axe}; axe.run().then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`);
        expect(violations, path).toEqual([]);
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        expect(wide, `${path} is wider than its window`).toBeLessThanOrEqual(0);
        expect(
          faults.filter((fault) => !fault.includes('404')),
          path,
        ).toEqual([]);
        await page.context().close();
      }
    },
  );

  it('is less than 60 kB with gzip', async () => {
    const server = await startServer({ charts: 'charts' });
    for (const path of ['/', '/acme/canary', '/acme', '/openapi']) {
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

describe('a tenant’s page', () => {
  it('is filtered on each input, and by the server without JavaScript', async () => {
    const server = await serve({ 'acme/canary.yaml': CHART, 'acme/other.yaml': CHART });
    await put(server, '/acme/canary/state?state=canary&event=fail');
    await fetch(`${server.url}/acme/other`);
    const { page, faults } = await openPage(`${server.url}/acme`);
    const shown = () => page.locator('tbody tr:visible td:first-child').allTextContents();
    expect(await shown()).toEqual(['acme/canary', 'acme/other']);
    await page.getByLabel('Name or state').fill('oth');
    expect(await shown()).toEqual(['acme/other']);
    await page.getByLabel('Name or state').fill('rollb');
    expect(await shown()).toEqual(['acme/canary']);
    await page.getByLabel('Name or state').fill('');
    await page.locator('select').selectOption('canary');
    expect(await shown()).toEqual(['acme/other']);
    expect(faults).toEqual([]);
    const plain = await openPage(`${server.url}/acme`, { javaScriptEnabled: false });
    await plain.page.getByLabel('Name or state').fill('rollback');
    await plain.page.getByRole('button', { name: 'Filter' }).click();
    expect(await plain.page.locator('tbody tr td:first-child').allTextContents()).toEqual(['acme/canary']);
  });
});
