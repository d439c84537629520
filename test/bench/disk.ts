import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from './compare.ts';

/** What workerd syncs for one small commit: two pages of SQLite's and their headers in the log. */
const COMMIT_BYTES = 8 * 1024;
const SAMPLES = 51;

/**
 * Times what a commit waits for. A disk that syncs in no time makes a commit per request cheap, and what we save by
 * committing many at once small: without this figure the ratios of `PUT` of two machines cannot be compared.
 *
 * @returns the median time to append a commit's bytes to a file in `folder` and sync it, ms
 */
export async function syncTime(folder: string): Promise<number> {
  const file = await open(join(folder, 'sync'), 'w');
  const bytes = Buffer.alloc(COMMIT_BYTES);
  const times: number[] = [];
  try {
    for (let i = 0; i < SAMPLES; i++) {
      const begun = performance.now();
      await file.write(bytes);
      await file.sync();
      times.push(performance.now() - begun);
    }
  } finally {
    await file.close();
  }
  return median(times);
}
