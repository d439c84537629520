import { describe, expect, it } from 'vitest';
import { LruCache } from '../src/lru-cache.ts';

/** The keys that a cache still has, of those that it was given. */
function kept(cache: LruCache<string, number>, ...keys: readonly string[]): string[] {
  return keys.filter((key) => cache.get(key) !== undefined);
}

describe('a cache of three entries', () => {
  function filled(): LruCache<string, number> {
    const cache = new LruCache<string, number>(3);
    for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3 })) cache.set(key, value);
    return cache;
  }

  it('drops the oldest one for a fourth', () => {
    const cache = filled();
    expect(cache.set('d', 4)).toBe(4);
    expect(kept(cache, 'a', 'b', 'c', 'd')).toEqual(['b', 'c', 'd']);
    expect(cache.size).toBe(3);
  });

  it('keeps an entry that was read lately', () => {
    const cache = filled();
    expect(cache.get('a')).toBe(1);
    cache.set('d', 4);
    expect(kept(cache, 'a', 'b', 'c', 'd')).toEqual(['a', 'c', 'd']);
  });

  it('keeps an entry that was replaced lately, and counts it once', () => {
    const cache = filled();
    cache.set('a', 5);
    expect(cache.size).toBe(3);
    cache.set('d', 4);
    expect(kept(cache, 'a', 'b', 'c', 'd')).toEqual(['a', 'c', 'd']);
    expect(cache.get('a')).toBe(5);
  });

  it('has room again after a deletion, also of a key that it does not have', () => {
    const cache = filled();
    cache.delete('b');
    cache.delete('b');
    cache.set('d', 4);
    cache.set('e', 5);
    expect(kept(cache, 'a', 'b', 'c', 'd', 'e')).toEqual(['c', 'd', 'e']);
  });
});

describe('a cache whose entries have a cost', () => {
  it('drops as many old entries as a new one needs', () => {
    const cache = new LruCache<string, number>(10, (cost) => cost);
    cache.set('a', 4);
    cache.set('b', 4);
    cache.set('c', 2);
    cache.set('d', 5);
    expect(kept(cache, 'a', 'b', 'c', 'd')).toEqual(['c', 'd']);
  });

  it('keeps the newest entry alone if it costs more than all', () => {
    const cache = new LruCache<string, number>(10, (cost) => cost);
    cache.set('a', 4);
    cache.set('b', 11);
    expect(kept(cache, 'a', 'b')).toEqual(['b']);
    cache.set('c', 1);
    expect(kept(cache, 'b', 'c')).toEqual(['c']);
  });
});
