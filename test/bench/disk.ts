import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './compare.ts';

/** What workerd writes for one small commit: two pages of SQLite's log. */
const COMMIT_BYTES = 8 * 1024;
const SAMPLES = 51;

/**
 * Measures how long a commit waits for the disk. On a disk that syncs in no time, a commit per request is cheap, and
 * batches save little: without this figure, the ratios of `PUT` of two machines cannot be compared.
 *
 * @returns the median time to write a commit's bytes and sync them, ms. It writes over the same bytes each time, as
 *   SQLite does in its log: a file that grows costs the file system more.
 */
export function syncTime(folder: string): number {
  const file = openSync(join(folder, 'sync'), 'w');
  const bytes = Buffer.alloc(COMMIT_BYTES);
  const times: number[] = [];
  try {
    for (let i = 0; i < SAMPLES; i++) {
      const begun = performance.now();
      writeSync(file, bytes, 0, bytes.length, 0);
      fsyncSync(file);
      times.push(performance.now() - begun);
    }
  } finally {
    closeSync(file);
  }
  return median(times);
}
