/** A chart in Chromium: it is written, checked as it is typed, uploaded, started as a run, and reset to a newer one. */
import { afterAll, afterEach, expect, it } from 'vitest';
import { cleanUp } from '../process/server.ts';
import { answer, closeBrowser, current, openPage, whenLive } from './browser.ts';
import { CHART, put, serve } from './pages.ts';

afterEach(cleanUp);
afterAll(closeBrowser);

const WRITTEN = `inputs: {hosts: 2, ticket: null}
initial: wait
states:
  wait: {on: {update: {target: gone, quorum: inputs.hosts}}}
  over: {type: final}
`;

it('a chart is written, checked, uploaded and started', async () => {
  const server = await serve();
  const watched = await openPage(`${server.url}/acme/new`, {}, 'ann');
  const { page, faults } = watched;
  await page.getByRole('link', { name: 'Write or upload a chart' }).click();
  // The chart to begin with is right, and drawn.
  await page.getByText('✓ The chart can be uploaded.').waitFor();
  await page.locator('[data-state="canary"]').waitFor();
  const text = page.getByLabel('Chart, as YAML');
  await text.fill(WRITTEN);
  await page.getByText('✗ 1 error').waitFor();
  await page.getByText('There is no target "gone" from here.').waitFor();
  expect(await page.locator('[data-own="lines"]').textContent()).toBe('1\n2\n3\n✗ 4\n5\n6');
  await page.getByRole('link', { name: /Line 4, column/ }).click();
  expect(await text.evaluate('document.activeElement.selectionStart')).toBe(WRITTEN.indexOf('gone'));
  // The cursor is before the word.
  for (let i = 0; i < 'gone'.length; i++) await page.keyboard.press('Delete');
  await page.keyboard.type('over');
  await page.getByText('✓ The chart can be uploaded.').waitFor();
  await page.locator('[data-state="over"]').waitFor();
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByRole('heading', { name: 'Chart of acme/new' }).waitFor();
  await page.getByText('From an upload to this address.').waitFor();
  await page.getByLabel('Name of the run').fill('2026-11-28');
  await page.getByLabel('hosts').fill('many');
  await page.getByLabel('ticket').fill('T-1');
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.getByText('hosts must be a whole number of at least 1, or a share such as 10%.').waitFor();
  await page.getByLabel('hosts').fill('1');
  await page.getByRole('button', { name: 'Start the run' }).click();
  await whenLive(watched);
  expect(new URL(page.url()).pathname).toBe('/acme/new@2026-11-28');
  await page.getByText('ticket: T-1').waitFor();
  // The browser logs what is refused.
  expect(faults.filter((fault) => !/status of (404|422)/.test(fault))).toEqual([]);
});

it('one check is under way at a time, and the last text is checked', async () => {
  const server = await serve();
  const { page, faults } = await openPage(`${server.url}/acme/canary/chart/edit`);
  let underWay = 0;
  let most = 0;
  const bodies: (string | null)[] = [];
  await page.route('**/chart?dry_run=*', async (route) => {
    underWay += 1;
    most = Math.max(most, underWay);
    bodies.push(route.request().postData());
    await new Promise((done) => setTimeout(done, 600));
    underWay -= 1;
    await route.continue();
  });
  const text = page.getByLabel('Chart, as YAML');
  for (const word of ['one', 'two', 'three', 'last']) {
    await text.fill(`${CHART}# ${word}\n`);
    await page.waitForTimeout(450);
  }
  await expect.poll(() => bodies.at(-1), { timeout: 10_000 }).toContain('# last');
  expect(most).toBe(1);
  expect(faults).toEqual([]);
});

it('a newer chart is a difference, and the reset beside it asks first', async () => {
  const server = await serve();
  await put(server, '/acme/canary@1/state?state=canary&by=web-01');
  const body = CHART.replace('quorum: 2', 'quorum: 5');
  await fetch(`${server.url}/acme/canary/chart`, { method: 'PUT', body });
  const watched = await openPage(`${server.url}/acme/canary@1/chart`, {}, 'ann');
  const { page, faults } = watched;
  await page.locator('ins').getByText('quorum: 5').waitFor();
  await page.getByRole('button', { name: 'Reset with the newer chart' }).click();
  await answer(page, 'Reset');
  await whenLive(watched);
  await current(page, 'canary').waitFor();
  await page.getByText('0 of 5').first().waitFor();
  const history = await (await fetch(`${server.url}/acme/canary@1/history?limit=1`)).json();
  expect(history).toMatchObject({ history: [{ cause: 'reset', by: 'ann' }] });
  expect(faults).toEqual([]);
});

it('without JavaScript a chart is checked and uploaded by buttons', async () => {
  const server = await serve();
  const { page } = await openPage(`${server.url}/acme/plain/chart/edit`, { javaScriptEnabled: false });
  const text = page.getByLabel('Chart, as YAML');
  await text.fill(WRITTEN);
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByText('✗ 1 error').waitFor();
  expect(await text.inputValue()).toBe(WRITTEN);
  await text.fill(WRITTEN.replace('gone', 'over'));
  await page.getByRole('button', { name: 'Upload' }).click();
  await page.getByRole('heading', { name: 'Chart of acme/plain' }).waitFor();
});
