import { closest, distance } from 'fastest-levenshtein';

/**
 * Finds the correct spelling of a misspelt word.
 *
 * @param candidates names of at most a line each: the cost is the product of the lengths.
 * @returns the nearest candidate; undefined if more than a third of the letters differ.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = closest(word, candidates);
  return distance(word, best) <= Math.max(2, word.length / 3) ? best : undefined;
}
