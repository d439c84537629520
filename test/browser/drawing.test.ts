/** The drawing on a machine's page in Chromium: it zooms, scrolls and folds, and a newer one patches it. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cleanUp, startServer } from '../process/server.ts';
import { generatedCharts } from '../view/generated-charts.ts';
import { closeBrowser, current, openPage, whenLive } from './browser.ts';
import { put, serve } from './pages.ts';

afterEach(cleanUp);
afterAll(closeBrowser);

const NAMED = new Map(generatedCharts().map(({ name, text }) => [name, text]));

/** The frame that scrolls, and what of it a test looks at. */
const FRAME = "document.querySelector('[data-drawing]')";
const PLACE = `[${FRAME}.scrollLeft, ${FRAME}.scrollTop]`;
const WIDTH = "Math.round(document.querySelector('.diagram').getBoundingClientRect().width)";

/** Records which states are animated, in place of the animation. */
const RECORD =
  'globalThis.flashed = []; Element.prototype.animate = function () { flashed.push(this.dataset.state) }';

describe('a drawing', () => {
  it('zooms and fits with buttons and with keys, scrolls to what is current, and keeps that when it is patched', async () => {
    const server = await serve({ 'acme/phases.yaml': NAMED.get('nested 60, phases') ?? '' });
    const watched = await openPage(`${server.url}/acme/phases`);
    const { page, faults } = watched;
    await whenLive(watched);
    const number = (expression: string) => page.evaluate<number>(expression);
    const own = await number(WIDTH);
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(await number(WIDTH)).toBeGreaterThan(own * 1.2);
    await page.locator('[data-drawing]').focus();
    await page.keyboard.press('f');
    const inside = await number(`${FRAME}.clientWidth`);
    expect(await number(WIDTH)).toBeLessThanOrEqual(inside);
    await page.keyboard.press('0');
    expect(await number(WIDTH)).toBe(own);
    await page.keyboard.press('+');
    await page.evaluate(`${FRAME}.scrollTo(${FRAME}.scrollWidth, 40)`);
    const before = await page.evaluate(PLACE);
    await page.evaluate(`${RECORD}; globalThis.state = document.querySelector('.state')`);
    await put(server, '/acme/phases/state?state=phase_0.step_0');
    await current(page, 'phase_0.step_1').waitFor();
    expect(await page.evaluate(PLACE)).toEqual(before);
    expect(await number(WIDTH)).toBeGreaterThan(own * 1.2);
    expect(await page.evaluate("globalThis.state === document.querySelector('.state')")).toBe(true);
    // What has changed is seen to change.
    expect(await page.evaluate('flashed')).toEqual(['phase_0.step_0', 'phase_0.step_1']);
    await page.keyboard.press('c');
    await expect.poll(() => number(`${FRAME}.scrollLeft`), { timeout: 10_000 }).toBeLessThan(inside);
    expect(faults).toEqual([]);
  });

  it('that is a little wider than its frame fits when the page opens, and else has its own size', async () => {
    const server = await startServer({ charts: 'charts' });
    const { page } = await openPage(`${server.url}/acme/night`, { viewport: { width: 1200, height: 960 } });
    const figures = async () => {
      await page.locator('[data-drawing] .diagram').waitFor();
      return page.evaluate<{ own: number; shown: number; inside: number }>(
        `({ own: ${FRAME}.querySelector('svg').width.baseVal.value, shown: ${WIDTH}, inside: ${FRAME}.clientWidth })`,
      );
    };
    const first = await figures();
    expect(first.own).toBeGreaterThan(first.inside);
    expect(Math.abs(first.shown - first.inside)).toBeLessThanOrEqual(1);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    const narrow = await figures();
    expect(narrow.shown).toBe(narrow.own);
  });

  it('is dragged with the mouse, and does not move for who wants no motion', async () => {
    const server = await serve({ 'acme/phases.yaml': NAMED.get('nested 60, phases') ?? '' });
    const watched = await openPage(`${server.url}/acme/phases`, { reducedMotion: 'reduce' });
    const { page } = watched;
    await whenLive(watched);
    await page.evaluate(`${RECORD}; ${FRAME}.scrollTo(0, 0)`);
    const box = await page.locator('[data-drawing]').boundingBox();
    if (box === null) throw new Error('the drawing has no box');
    await page.mouse.move(box.x + 300, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 100, box.y + 20);
    await page.mouse.up();
    expect(await page.evaluate(PLACE)).toEqual([200, 0]);
    await put(server, '/acme/phases/state?state=phase_0.step_0');
    await current(page, 'phase_0.step_1').waitFor();
    expect(await page.evaluate('flashed')).toEqual([]);
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

/** What of the page a person would press, and could not on paper. */
const PRESSED = `[...document.querySelectorAll('button, .button, dialog, form, nav, .tools')].filter((part) =>
  part.checkVisibility()).map(({ outerHTML }) => outerHTML.slice(0, 80))`;

it('a printed page has the drawing whole, its time, what is folded, and nothing to press', async () => {
  const server = await serve({ 'acme/phases.yaml': NAMED.get('nested 60, phases') ?? '' });
  const watched = await openPage(`${server.url}/acme/phases`, { colorScheme: 'dark' });
  const { page } = watched;
  await whenLive(watched);
  await page.getByRole('button', { name: 'Zoom in' }).click();
  const isCut = () =>
    page.evaluate(
      `${FRAME}.scrollWidth > ${FRAME}.clientWidth || ${FRAME}.scrollHeight > ${FRAME}.clientHeight`,
    );
  const isFolded = () => page.evaluate("!document.querySelector('.legend li').checkVisibility()");
  expect([await isCut(), await isFolded()]).toEqual([true, true]);
  // The width of A4 at 96 px/in.
  await page.setViewportSize({ width: 794, height: 1123 });
  await page.emulateMedia({ media: 'print' });
  expect([await isCut(), await isFolded()]).toEqual([false, false]);
  expect(
    await page.evaluate(`document.querySelector('.diagram').getBoundingClientRect().right`),
  ).toBeLessThan(794);
  expect(await page.evaluate(PRESSED)).toEqual([]);
  const connection = "document.querySelector('#connection')";
  expect(await page.evaluate(`getComputedStyle(${connection}, '::after').content`)).toContain(' As of ');
  expect(await page.evaluate(`${connection}.dataset.asOf`)).toMatch(/^\d{4}-\d\d-\d\dT/);
  // Paper is not live, and white.
  expect(await page.evaluate(`getComputedStyle(${connection}).fontSize`)).toBe('0px');
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(245, 247, 250)');
});
