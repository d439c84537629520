/** Links, names of files and drawings of the documentation: each leads to something that exists. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BLOCKS, PACKAGE, PAGES } from './pages.ts';

/** Text of a page without its blocks. */
function proseOf(text: string): string {
  return text.replace(/^```.*?^```$/gms, '');
}

/** Anchors of a page's headings, as GitHub writes them. */
function anchorsOf(text: string): readonly string[] {
  return Array.from(proseOf(text).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links that lead nowhere: to no file, or to no heading of a page. */
function brokenLinks(page: string, text: string): readonly string[] {
  const links = Array.from(proseOf(text).matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    const other = target === page ? text : PAGES.find((found) => found.page === target)?.text;
    if (anchor !== undefined) return other === undefined || !anchorsOf(other).includes(anchor);
    return !existsSync(join(PACKAGE, target));
  });
}

/** Paths of the package between backticks: `src/limits.ts`, `docs/`. */
function pathsIn(text: string): readonly string[] {
  const folders = 'src|test|docs|charts|bin';
  return Array.from(text.matchAll(new RegExp(`(?<![\\w/.-])(?:${folders})/[\\w./-]*`, 'g')), ([path]) =>
    path.replace(/\.$/, ''),
  );
}

describe.each(PAGES)('$page', ({ page, text }) => {
  it('has only links that lead to a file or a heading', () => {
    expect(brokenLinks(page, text)).toEqual([]);
  });
});

it('finds links that lead nowhere', () => {
  const text =
    '# A title\n[a](#a-title) [b](#another) [c](docs/limits.md#limits) [d](docs/none.md) [e](https://a.test)';
  expect(brokenLinks('README.md', text)).toEqual(['#another', 'docs/none.md']);
});

describe.each(['CONTRIBUTING.md', 'docs/architecture.md'])('%s', (name) => {
  const text = PAGES.find(({ page }) => page === name)?.text ?? '';

  it('names only files and folders that exist', () => {
    const named = pathsIn(text).filter((path) => !path.includes('NAME'));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !existsSync(join(PACKAGE, path)))).toEqual([]);
  });
});

describe('a drawing', () => {
  const drawings = BLOCKS.filter(({ language }) => language === 'mermaid');

  it('is on the page of the architecture only', () => {
    expect(drawings.map(({ page }) => page)).toEqual(['docs/architecture.md']);
  });

  it.each(drawings)('has only participants that are declared, and files that exist: $page', ({ text }) => {
    const declared = Array.from(
      text.matchAll(/^ *participant (\w+) as (.*)$/gm),
      ([, id = '', shown = '']) => ({
        id,
        shown,
      }),
    );
    const ids = declared.map(({ id }) => id);
    const arrows = [...text.matchAll(/^ *(\w+)-{1,2}>>(\w+): \S.*$/gm)];
    // Every line is the first one, a participant or an arrow.
    expect(text.split('\n')).toHaveLength(1 + declared.length + arrows.length);
    for (const [, from, to] of arrows) expect(ids).toEqual(expect.arrayContaining([from, to]));
    const files = declared.flatMap(({ shown }) => (shown.includes('/') ? [`src/${shown}`] : []));
    expect(files.filter((file) => !existsSync(join(PACKAGE, file)))).toEqual([]);
  });
});
