import { closest, distance } from 'fastest-levenshtein';

/**
 * Finds what a misspelt word was meant to be.
 *
 * @param candidates names that are not longer than a line each: the cost is the product of the lengths.
 * @returns the nearest candidate; undefined where none is near: more than a third of the letters differ.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = closest(word, candidates);
  return distance(word, best) <= Math.max(2, word.length / 3) ? best : undefined;
}
