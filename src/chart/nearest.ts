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

/** Quotes the start of a name that a caller has made up. */
export function quoteShort(name: string): string {
  return JSON.stringify(name.length > SHOWN ? `${name.slice(0, SHOWN - 3)}...` : name);
}

/**
 * Offers an unknown name's correct spelling, or all names that there are: `did you mean "batch"?`
 *
 * @param verb what stands before them: `it takes`.
 */
export function offer(word: string, known: readonly string[], verb: string): string {
  const meant = word.length > SHOWN ? undefined : nearest(word, known);
  if (meant !== undefined) return `did you mean "${meant}"?`;
  return known.length === 0 ? `${verb} none.` : `${verb}: ${known.join(', ')}.`;
}

/** Characters of a name that are shown. A longer name is not compared with others: that takes the product of their lengths. */
const SHOWN = 80;
