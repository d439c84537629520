/** Holds pages against axe-core, their window and their policy. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'vitest';
import type { Watched } from './browser.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Expects that the page passes axe-core, is no wider than its window, and has no other fault than a 404 of its own. Then
 * leaves it, so that the next page can be opened in its place: a page of its own costs a process of the browser.
 */
export async function expectAccessible({ page, faults }: Watched): Promise<void> {
  const path = new URL(page.url()).pathname;
  const violations = await page.evaluate(`${axe}; axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`);
  expect(violations, path).toEqual([]);
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  expect(wide, `${path} is wider than its window`).toBeLessThanOrEqual(0);
  const own = faults.filter((fault) => !fault.includes('404'));
  expect(own, path).toEqual([]);
  await page.goto('about:blank');
  faults.length = 0;
}
