/** A tenant's page in Chromium: it is filtered, follows its machines, and says when it no longer does. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { folderOf } from '../process/charts.ts';
import { cleanUp, runCli, type Server, startServer, temporaryFolder } from '../process/server.ts';
import { closeBrowser, openPage, whenLive } from './browser.ts';
import { CHART, put } from './pages.ts';

const SECRET = 'a secret that has bytes enough for it';

/** A little longer than between two requests of the page, in ms (`POLL` in src/view/list.client.js). */
const POLL = 5_100;

let charts: string;
let data: string;
let server: Server;

beforeAll(async () => {
  charts = await folderOf({ 'acme/canary.yaml': CHART, 'acme/other.yaml': CHART });
  data = await temporaryFolder();
  server = await startServer({ charts, data });
  await put(server, '/acme/canary/state?state=canary&event=fail');
  await fetch(`${server.url}/acme/other`);
});
afterAll(async () => {
  await closeBrowser();
  await cleanUp();
});

/** Opens the page. The clock of its browser moves by `page.clock.runFor` alone, so it asks when the test says. */
async function open(url: string, options: Parameters<typeof openPage>[1] = {}) {
  const watched = await openPage(new URL('/healthz', url).href, options);
  const { page } = watched;
  await page.clock.install();
  await page.goto(url);
  await page.clock.runFor(POLL);
  await whenLive(watched);
  return { ...watched, connection: page.locator('#connection') };
}

it('is filtered on each input, and by the server without JavaScript', async () => {
  const { page, faults } = await openPage(`${server.url}/acme`);
  const shown = () => page.locator('tbody tr td:first-child').allTextContents();
  expect(await shown()).toEqual(['acme/canary', 'acme/other']);
  await page.getByLabel('Address').fill('oth');
  await expect.poll(shown, { timeout: 10_000 }).toEqual(['acme/other']);
  expect(new URL(page.url()).searchParams.get('q')).toBe('oth');
  await page.getByLabel('Address').fill('');
  await page.getByLabel('State', { exact: true }).fill('rollback');
  await expect.poll(shown, { timeout: 10_000 }).toEqual(['acme/canary']);
  await page.getByLabel('State', { exact: true }).fill('');
  await page.locator('select').selectOption('active');
  await expect.poll(shown, { timeout: 10_000 }).toEqual(['acme/other']);
  expect(faults).toEqual([]);
  const plain = await openPage(`${server.url}/acme`, { javaScriptEnabled: false });
  await plain.page.getByLabel('State', { exact: true }).fill('rollback');
  await plain.page.getByRole('button', { name: 'Filter' }).click();
  expect(await plain.page.locator('tbody tr td:first-child').allTextContents()).toEqual(['acme/canary']);
});

it('shows that a machine moves, without a reload', async () => {
  const { page, faults } = await open(`${server.url}/acme?q=other`);
  await page.evaluate('globalThis.sameDocument = true');
  expect(await page.locator('tbody').textContent()).toContain('update: 0 of 2');
  for (const by of ['web-01', 'web-02']) await put(server, `/acme/other/state?state=canary&by=${by}`);
  // The machine tells its tenant after it has answered, so the first request may be before that.
  const shown = async () => {
    await page.clock.runFor(POLL);
    return page.locator('tbody').textContent();
  };
  await expect.poll(shown, { timeout: 20_000 }).toContain('fleet');
  expect(await page.evaluate('globalThis.sameDocument')).toBe(true);
  expect(faults).toEqual([]);
});

it('says that its server is gone, and is live again when that is back', async () => {
  const watched = await open(`${server.url}/acme`);
  const { page, connection } = watched;
  await server.kill9();
  await page.clock.runFor(POLL);
  await connection.getByText('Not connected: this page may be out of date.').waitFor();
  expect(await connection.getAttribute('data-state')).toBe('lost');
  server = await startServer({ charts, data, flags: ['--port', new URL(server.url).port] });
  await page.clock.runFor(POLL);
  await whenLive(watched);
});

it('says that its token has ended, and asks no more', async () => {
  const guarded = await startServer({ charts, env: { TOKEN_SECRET: SECRET } });
  const flags = ['token', '--charts', 'acme/*', '--can', 'read', '--sub', 'me', '--ttl', '1h'];
  const value = (await runCli(flags, { TOKEN_SECRET: SECRET })).stdout.trim();
  const headers = { Authorization: `Bearer ${value}` };
  await fetch(`${guarded.url}/acme/canary`, { headers });
  const { page, connection } = await open(`${guarded.url}/acme`, { extraHTTPHeaders: headers });
  // As after its end: the server takes it no more.
  await page.context().setExtraHTTPHeaders({ Authorization: 'Bearer ended' });
  await page.clock.runFor(POLL);
  await connection.getByText('The token has expired.').waitFor();
  expect(await connection.getAttribute('data-state')).toBe('ended');
  const to = await connection.getByRole('link', { name: 'Sign in' }).getAttribute('href');
  expect(to).toBe('/signin?to=%2Facme');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.clock.runFor(3 * POLL);
  expect(asked).toEqual([]);
});
