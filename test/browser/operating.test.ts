/** An operator at a machine's page in Chromium: pausing, overriding, deleting, and the curl of each action. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, type Server } from '../process/server.ts';
import { answer, closeBrowser, current, openPage, SETTLE, whenLive } from './browser.ts';
import { CHART, put, serve } from './pages.ts';

let server: Server;
let runs = 0;

beforeAll(async () => {
  server = await serve();
});
afterAll(async () => {
  await closeBrowser();
  await cleanUp();
});

/** Begins a run, and opens its page as Ann. */
async function open() {
  runs += 1;
  const path = `/acme/canary@${runs}`;
  await put(server, `${path}/state?state=canary&by=web-01`);
  const watched = await openPage(
    `${server.url}${path}`,
    { permissions: ['clipboard-read', 'clipboard-write'] },
    'ann',
  );
  await whenLive(watched);
  const { page, faults } = watched;
  const status = async () => (await fetch(`${server.url}${path}`)).json();
  return { path, page, faults, status };
}

describe('an operator', () => {
  it('pauses the machine with a reason and an end, and resumes it', async () => {
    const { page, faults, status } = await open();
    await page.getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog');
    // Without a reason nothing is sent.
    await answer(page, 'Pause');
    expect(await dialog.isVisible()).toBe(true);
    await dialog.getByLabel('Reason').fill('disk full on web-03');
    await dialog.getByLabel('Until').fill('2h');
    await answer(page, 'Pause');
    await page.getByText('by ann: disk full on web-03').waitFor();
    await page.getByText('stands still during the pause').waitFor();
    expect(await status()).toMatchObject({ paused: { by: 'ann', reason: 'disk full on web-03' } });
    await page.waitForTimeout(SETTLE);
    await page.getByRole('button', { name: 'Resume' }).click();
    // A reason is asked for, and may be empty.
    await answer(page, 'Resume');
    await page.getByText('by ann: disk full on web-03').waitFor({ state: 'detached' });
    expect(await status()).toMatchObject({ paused: null });
    expect(faults).toEqual([]);
  });

  it('claims a slot, returns it, and changes an input', async () => {
    const body = CHART.replace('initial:', 'inputs: {batch: 2}\ninitial:').replace(
      'slots: 2',
      'slots: inputs.batch',
    );
    await fetch(`${server.url}/acme/slots/chart`, { method: 'PUT', body });
    await fetch(`${server.url}/acme/slots/override?to=fleet&reason=test`, { method: 'POST' });
    const watched = await openPage(`${server.url}/acme/slots`, {}, 'ann');
    await whenLive(watched);
    const { page, faults } = watched;
    await page.getByRole('button', { name: 'Claim a slot' }).click();
    await page.getByText('ann, lease ends').waitFor();
    await page.waitForTimeout(SETTLE);
    await page.getByRole('button', { name: 'Return the slot' }).click();
    await page.getByText('0 of 2 slots of fleet').waitFor();
    await page.waitForTimeout(SETTLE);
    await page.getByRole('button', { name: 'Change inputs' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('batch').inputValue()).toBe('2');
    await dialog.getByLabel('batch').fill('7');
    await answer(page, 'Change');
    await page.getByText('0 of 7 slots of fleet').waitFor();
    expect(faults).toEqual([]);
  });

  it.each([true, false])(
    'uploads members and strikes one off, with JavaScript: %s',
    async (javaScriptEnabled) => {
      runs += 1;
      const path = `/acme/canary@${runs}`;
      const { page, faults } = await openPage(`${server.url}${path}`, { javaScriptEnabled }, 'ann');
      await page.getByRole('link', { name: 'Members…' }).click();
      const text = page.locator('textarea');
      await text.fill('web-01 zone=eu\nweb-02 zone\nweb-03\n');
      await page.getByRole('button', { name: 'Upload the list' }).click();
      await page.getByText('The label "zone" has no value').waitFor();
      if (javaScriptEnabled) {
        expect(await page.locator('[data-own="lines"]').textContent()).toBe('1\n✗ 2\n3\n4');
        await page.getByRole('link', { name: 'Line 2' }).click();
        expect(await text.evaluate('document.activeElement.selectionStart')).toBe(15);
      }
      await text.fill((await text.inputValue()).replace('web-02 zone\n', 'web-02 zone=us\n'));
      await page.getByRole('button', { name: 'Upload the list' }).click();
      await page.getByRole('heading', { name: '3 members' }).waitFor();
      await page.getByRole('button', { name: 'Strike off web-02' }).click();
      if (javaScriptEnabled) {
        await page.getByRole('heading', { name: 'Strike web-02 off?' }).waitFor();
        await answer(page, 'Strike off');
      }
      await page.getByRole('heading', { name: '2 members' }).waitFor();
      expect(await text.inputValue()).toBe('web-01 zone=eu\nweb-03\n');
      const history = await (await fetch(`${server.url}${path}/history?limit=1`)).json();
      expect(history).toMatchObject({
        history: [{ cause: 'members', by: javaScriptEnabled ? 'ann' : null }],
      });
      // The browser logs what is refused.
      expect(faults.filter((fault) => !fault.includes('422'))).toEqual([]);
    },
  );

  it.each([true, false])(
    'is told that the platform has no restore, with JavaScript: %s',
    async (javaScriptEnabled) => {
      runs += 1;
      const path = `/acme/canary@${runs}`;
      await put(server, `${path}/state?state=canary&by=web-01`);
      const { page } = await openPage(`${server.url}${path}`, { javaScriptEnabled }, 'ann');
      await page.getByRole('link', { name: 'Restore…' }).click();
      // The moment before the newest change.
      await page.locator('tbody a').first().click();
      expect(await page.getByLabel('Moment, in UTC').inputValue()).toMatch(/Z$/);
      await page.getByRole('button', { name: 'Put the machine back…' }).click();
      if (javaScriptEnabled) {
        await page.getByText(/^What came after 2\S+Z \(UTC\) is undone/).waitFor();
        await answer(page, 'Put back');
      }
      await page.getByText('A machine can be restored on Cloudflare only').waitFor();
      await page.getByRole('link', { name: 'Go to the machine' }).click();
      await page.getByText('1 of 2').first().waitFor();
    },
  );

  it('makes a link, which is shown once and copied', async () => {
    const { path, page, faults } = await open();
    await page.getByRole('link', { name: 'Make a link' }).click();
    await page.getByLabel('Event').selectOption('fail');
    await page.getByLabel('Name of the person').fill('anna');
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    const link = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(await (await fetch(link)).text()).toContain('as <b>anna</b>');
    expect(new URL(link).pathname).toMatch(new RegExp(`^${path}/links/`));
    await page.goto(page.url());
    expect(await page.content()).not.toContain(link);
    expect(faults).toEqual([]);
  });

  it('moves the machine by hand, with a reason', async () => {
    const { path, page, faults } = await open();
    await page.getByRole('button', { name: 'Override' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('To the state').fill('fleet');
    await dialog.getByLabel('Reason').fill('the second canary is gone');
    await answer(page, 'Move');
    await current(page, 'fleet').waitFor();
    const history = await (await fetch(`${server.url}${path}/history?limit=1`)).json();
    expect(history).toMatchObject({
      history: [{ cause: 'override', by: 'ann', notes: ['the second canary is gone'] }],
    });
    expect(faults).toEqual([]);
  });

  it('deletes the machine after a confirmation', async () => {
    const { path, page } = await open();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect((await fetch(`${server.url}${path}`)).status).toBe(200);
    await page.getByRole('button', { name: 'Delete' }).click();
    await answer(page, 'Delete');
    await page.locator('#connection').getByText('The machine was deleted').waitFor();
  });

  it('copies the curl of an action, which does the same under the reader’s name', async () => {
    const { page, faults, status } = await open();
    const action = page.locator('.action', { has: page.getByRole('button', { name: 'update' }) });
    await action.getByText('curl', { exact: true }).click();
    await action.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    const curl = await page.evaluate<string>('navigator.clipboard.readText()');
    const [, method, url] = /^curl -sf -X (PUT) '(.*)'$/.exec(curl) ?? [];
    expect(new URL(url ?? '').searchParams.get('by')).toBe('ann');
    expect((await fetch(url ?? '', { method: method ?? '' })).status).toBe(200);
    expect(await status()).toMatchObject({ states: ['fleet'] });
    expect(faults).toEqual([]);
  });

  it('keeps what is unfolded while the page changes', async () => {
    const { path, page } = await open();
    await page.locator('.action summary').first().click();
    await put(server, `${path}/state?state=canary&event=fail`);
    await current(page, 'rollback').waitFor();
    // The actions of canary are gone; that of the override stays as it was.
    await page.getByText('curl', { exact: true }).last().click();
    await fetch(`${server.url}${path}/reset`, { method: 'POST' });
    await current(page, 'canary').waitFor();
    expect(await page.locator('[data-key="action delete"] details').getAttribute('open')).not.toBeNull();
  });
});

it('the title says that a deadline is near', async () => {
  const body = CHART.replace('rollback: {type: final}', 'rollback: {type: final, tags: [failed]}');
  await fetch(`${server.url}/acme/hasty/chart`, { method: 'PUT', body });
  const { page } = await openPage(`${server.url}/acme/hasty`);
  expect(await page.locator('.late').count()).toBe(0);
  // The clock of the browser alone.
  await page.clock.setFixedTime(Date.now() + 110 * 60_000);
  await expect.poll(() => page.title(), { timeout: 10_000 }).toMatch(/^● canary · acme\/hasty · ⚠ in \d+m /);
  await page.locator('.late').getByText('canary → rollback at').waitFor();
  await put(server, '/acme/hasty/state?state=canary&event=fail');
  await expect.poll(() => page.title(), { timeout: 10_000 }).toBe('✗ rollback · acme/hasty');
});
