/** A machine's page in Chromium: its updates, its buttons and its dialogs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { folderOf } from '../process/charts.ts';
import { cleanUp, startServer, temporaryFolder } from '../process/server.ts';
import { TIMED } from '../slowness.ts';
import { answer, closeBrowser, current, openPage, SETTLE, whenLive } from './browser.ts';
import { CHART, put, serve } from './pages.ts';

afterEach(cleanUp);
afterAll(closeBrowser);

describe('an open page', () => {
  it('shows a report within a second, without a reload', TIMED, async () => {
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

  it('shows that a window closes, though the machine does not change', async () => {
    const server = await serve();
    const watched = await openPage(`${server.url}/acme/canary`);
    const { page, faults } = watched;
    await whenLive(watched);
    await page.evaluate('globalThis.sameDocument = true');
    // It has opened with this minute, and its cutoff begins in some seconds.
    const now = new Date();
    const cutoff = 3_600_000 - (now.getTime() % 60_000) - 10_000;
    const window = `{cron: ${now.getUTCMinutes()} ${now.getUTCHours()} * * *, for: 1h, cutoff: ${cutoff}}`;
    const body = CHART.replace('canary:\n', `canary:\n    window: ${window}\n`);
    await fetch(`${server.url}/acme/canary/chart?reset=true`, { method: 'PUT', body });
    await page.getByText('◷ canary: open, closes at').waitFor();
    await page.getByText('◷ canary: closed, opens at').waitFor();
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
    await page.locator('button[data-key^="fleet"][aria-disabled="true"]').waitFor();
    await button.click({ force: true });
    await page.getByText('ann holds no slot of fleet').waitFor();
    await current(page, 'fleet').waitFor();
    await fetch(`${server.url}/acme/canary/claims?state=fleet&by=ann`, { method: 'POST' });
    await page.locator('button[data-key^="fleet"]:not([aria-disabled])').waitFor();
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
    for (let i = 0; i < 12; i++) {
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

  it('send nothing with a click on a button that has just changed', async () => {
    const server = await serve({ 'acme/approval.yaml': APPROVAL });
    await put(server, '/acme/approval/state?state=waiting&event=approve&by=bob');
    const watched = await openPage(`${server.url}/acme/approval`, {}, 'ann');
    const { page } = watched;
    await whenLive(watched);
    const box = await page.getByRole('button', { name: 'approve' }).boundingBox();
    if (box === null) throw new Error('the button has no box');
    // By time and not by number: on a busy machine a later click comes after the page has settled.
    const began = performance.now();
    do {
      await page.mouse.click(box.x + 10, box.y + box.height / 2);
      await page.waitForTimeout(150);
    } while (performance.now() - began < 450);
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

  it('says so after its connection was lost, and does not begin the machine again', async () => {
    const charts = await folderOf({ 'acme/canary.yaml': CHART });
    const data = await temporaryFolder();
    const server = await startServer({ charts, data });
    const watched = await openPage(`${server.url}/acme/canary`);
    await whenLive(watched);
    await watched.page.context().setOffline(true);
    await server.kill9();
    await watched.page.getByText('Not connected').waitFor();
    const again = await startServer({ charts, data, flags: ['--port', new URL(server.url).port] });
    const erased = await fetch(`${again.url}/acme/canary`, { method: 'DELETE' });
    expect(erased.status).toBe(204);
    await watched.page.context().setOffline(false);
    await watched.page.getByText('The machine was deleted').waitFor();
    await watched.page.waitForTimeout(2_000);
    const list = await fetch(`${again.url}/acme`, { headers: { Accept: 'application/json' } });
    expect(await list.json()).toMatchObject({ machines: [] });
  });

  it('says so after a 404', async () => {
    const charts = await folderOf({ 'acme/canary.yaml': CHART });
    const server = await startServer({ charts });
    const watched = await openPage(`${server.url}/acme/canary`);
    await whenLive(watched);
    await watched.page.route('**/acme/canary?*', (route) => route.fulfill({ status: 404, body: 'gone' }));
    await put(server, '/acme/canary/state?state=canary');
    await watched.page.getByText('The machine was deleted').waitFor();
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
      document.querySelector('[data-drawing]').scrollTop = 100;
      const cell = document.querySelector('tbody tr:last-child td:nth-child(2)');
      getSelection().selectAllChildren(cell);
      globalThis.svg = document.querySelector('svg');
    }`);
    for (let i = 0; i < 3; i++) await put(server, `/acme/long/state?state=s${i}&by=bob`);
    await current(page, 's3').waitFor();
    const seen = await page.evaluate(`[
      document.querySelector('[data-drawing]').scrollTop,
      getSelection().toString(),
      globalThis.svg === document.querySelector('svg'),
      document.querySelectorAll('tbody tr').length,
    ]`);
    expect(seen).toEqual([100, 'start\n→ s0', true, 4]);
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
      if (new URL(request.url()).pathname === '/acme/busy') asked.push(performance.now());
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
