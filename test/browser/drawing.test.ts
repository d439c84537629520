/** The drawing on a machine's page in Chromium: it zooms, scrolls and folds, and a newer one patches it. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cleanUp } from '../process/server.ts';
import { generatedCharts } from '../view/generated-charts.ts';
import { closeBrowser, current, openPage, whenLive } from './browser.ts';
import { put, serve } from './pages.ts';

afterEach(cleanUp);
afterAll(closeBrowser);

const NAMED = new Map(generatedCharts().map(({ name, text }) => [name, text]));

describe('a drawing', () => {
  it('zooms and fits with buttons and with keys, scrolls to what is current, and keeps that when it is patched', async () => {
    const server = await serve({ 'acme/phases.yaml': NAMED.get('nested 60, phases') ?? '' });
    const watched = await openPage(`${server.url}/acme/phases`);
    const { page, faults } = watched;
    await whenLive(watched);
    const frame = page.locator('[data-drawing]');
    const width = () =>
      page.locator('.diagram').evaluate('(svg) => Math.round(svg.getBoundingClientRect().width)');
    const own = Number(await width());
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(Number(await width())).toBeGreaterThan(own * 1.2);
    await frame.focus();
    await page.keyboard.press('f');
    const inside = await frame.evaluate('(frame) => frame.clientWidth');
    expect(Number(await width())).toBeLessThanOrEqual(Number(inside));
    await page.keyboard.press('0');
    expect(Number(await width())).toBe(own);
    await page.keyboard.press('+');
    await frame.evaluate('(frame) => frame.scrollTo(frame.scrollWidth, 40)');
    const before = await frame.evaluate('(frame) => [frame.scrollLeft, frame.scrollTop]');
    await page.evaluate("globalThis.state = document.querySelector('.state')");
    await put(server, '/acme/phases/state?state=phase_0.step_0');
    await current(page, 'phase_0.step_1').waitFor();
    expect(await frame.evaluate('(frame) => [frame.scrollLeft, frame.scrollTop]')).toEqual(before);
    expect(Number(await width())).toBeGreaterThan(own * 1.2);
    expect(await page.evaluate("globalThis.state === document.querySelector('.state')")).toBe(true);
    // What has changed is seen to change.
    const moving = "document.querySelector('.state.current:not(.frame)').getAnimations().length";
    expect(await page.evaluate(moving)).toBe(1);
    await page.keyboard.press('c');
    await expect.poll(() => frame.evaluate('(frame) => frame.scrollLeft')).toBeLessThan(Number(inside));
    expect(faults).toEqual([]);
  });

  it('is dragged with the mouse, and does not move for who wants no motion', async () => {
    const server = await serve({ 'acme/phases.yaml': NAMED.get('nested 60, phases') ?? '' });
    const watched = await openPage(`${server.url}/acme/phases`, { reducedMotion: 'reduce' });
    const { page } = watched;
    await whenLive(watched);
    const frame = page.locator('[data-drawing]');
    await frame.evaluate('(frame) => frame.scrollTo(0, 0)');
    const box = await frame.boundingBox();
    if (box === null) throw new Error('the drawing has no box');
    await page.mouse.move(box.x + 300, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 100, box.y + 20);
    await page.mouse.up();
    expect(await frame.evaluate('(frame) => frame.scrollLeft')).toBe(200);
    await put(server, '/acme/phases/state?state=phase_0.step_0');
    await current(page, 'phase_0.step_1').waitFor();
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
  });

  it('of many states folds idle ones, and shows the inside of one, with and without JavaScript', async () => {
    const server = await serve({ 'acme/phases.yaml': NAMED.get('nested 200, phases') ?? '' });
    for (const javaScriptEnabled of [true, false]) {
      const { page, faults } = await openPage(`${server.url}/acme/phases`, { javaScriptEnabled });
      await current(page, 'phase_0.step_0').waitFor();
      expect(await page.locator('.state').count()).toBeLessThan(40);
      await page.locator('.state.folded[data-state="phase_3"]').click();
      await page.locator('.state[data-state="phase_3.step_1"]').waitFor();
      expect(await page.locator('.state[data-state="phase_0"]').count()).toBe(0);
      await page.getByRole('link', { name: 'Whole chart' }).click();
      await page.locator('.state[data-state="phase_0"]').waitFor();
      await page.getByRole('link', { name: 'Unfold all states' }).click();
      await page.locator('.state[data-state="phase_9.step_1"]').waitFor();
      expect(await page.locator('.state').count()).toBe(203);
      expect(faults).toEqual([]);
    }
  });
});
