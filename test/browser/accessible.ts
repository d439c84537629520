/** Holds pages against axe-core, their window and their policy. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'vitest';
import type { Watched } from './browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The least size of what is pressed with a finger, px (WCAG 2.2, success criterion 2.5.5), and the widest window of a phone. */
const TARGET = 44;
const PHONE = 767;

/**
 * Finds what is pressed and is smaller: buttons, fields, what unfolds, and links. Left out are links in a sentence (2.5.5, "Inline"),
 * links for the mouse alone, and states of a drawing, which zooms.
 */
const SMALL_TARGETS = `(() => {
  const textOf = ({ textContent }) => textContent.trim();
  const isInline = (target) => target.matches('a:not(.button)') && textOf(target) !== textOf(target.parentElement) &&
    !target.closest('nav, .tools, th, td:first-child');
  return [...document.querySelectorAll('button, .button, summary, input:not([type="hidden"]), select, textarea, a[href]')]
    .filter((target) => target.checkVisibility() && !target.closest('svg, [aria-hidden], .unseen') && !isInline(target))
    .map((target) => target.closest('.choice') ?? target)
    .filter((target) => {
      const { width, height } = target.getBoundingClientRect();
      return Math.round(Math.min(width, height)) < ${TARGET};
    })
    .map(({ outerHTML }) => outerHTML.slice(0, 120));
})()`;

/** What axe-core checks of a page in other colours: all else is the same in them, and is checked in the usual ones. */
const AXE = `axe.run(matchMedia('(prefers-color-scheme: dark), (forced-colors: active)').matches
  ? { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } }
  : {})`;

/** What a window is opened with: the page is then seen in each of these colours. */
export const WINDOWS = [
  ['at a desk', {}, ['light', 'dark', 'forced']],
  ['on a phone', { viewport: { width: 390, height: 844 } }, ['light']],
] as const;

/** Without motion, so that no colour is on its way to another one. */
const COLOURS = {
  light: { colorScheme: 'light', forcedColors: 'none', reducedMotion: 'no-preference' },
  dark: { colorScheme: 'dark', forcedColors: 'none', reducedMotion: 'reduce' },
  forced: { colorScheme: 'light', forcedColors: 'active', reducedMotion: 'reduce' },
} as const;

/**
 * Expects that the page is accessible in each of some colours. Then leaves it, so that the next page can be opened in its place: a page
 * of its own costs a process of the browser.
 */
export async function expectAccessibleIn(
  colours: readonly (keyof typeof COLOURS)[],
  watched: Watched,
): Promise<void> {
  const { page, faults } = watched;
  for (const name of colours) {
    await page.emulateMedia(COLOURS[name]);
    await expectAccessible(watched, name);
  }
  await page.goto('about:blank');
  await page.emulateMedia(COLOURS.light);
  faults.length = 0;
}

/**
 * Expects that the page passes axe-core, is no wider than its window, can be used with a finger on a phone, and has no other
 * fault than a 404 of its own.
 */
async function expectAccessible({ page, faults }: Watched, colours: string): Promise<void> {
  const path = `${new URL(page.url()).pathname} (${colours})`;
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(axe);
  const violations = await page.evaluate(`${AXE}.then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`);
  expect(violations, path).toEqual([]);
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  expect(wide, `${path} is wider than its window`).toBeLessThanOrEqual(0);
  if ((page.viewportSize()?.width ?? Infinity) <= PHONE)
    expect(await page.evaluate(SMALL_TARGETS), `small targets on ${path}`).toEqual([]);
  const own = faults.filter((fault) => !fault.includes('404'));
  expect(own, path).toEqual([]);
}
