/** All pages of the documentation, found by pattern, so that tests read new pages too. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Block, blocksOf } from './page.ts';

/** Folder of the package. */
export const PACKAGE = resolve(import.meta.dirname, '../../..');

export const PAGES: readonly { readonly page: string; readonly text: string }[] = globSync(
  ['*.md', 'docs/**/*.md'],
  { cwd: PACKAGE },
)
  .toSorted()
  .map((page) => ({ page, text: readFileSync(join(PACKAGE, page), 'utf8') }));

export const BLOCKS: readonly (Block & { readonly page: string })[] = PAGES.flatMap(({ page, text }) =>
  blocksOf(text).map((block) => ({ page, ...block })),
);
