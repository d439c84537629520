/** A cache with a bound: the least recently used entries make room for new ones. */
export class LruCache<Key, Value> {
  /** The least recently used entry is first. */
  readonly #entries = new Map<Key, Value>();
  readonly #most: number;
  readonly #costOf: (value: Value) => number;
  #cost = 0;

  /**
   * @param most the bound: of all costs together. The newest entry stays even if it alone costs more.
   * @param costOf what an entry costs; by default 1, so that `most` is a number of entries.
   */
  constructor(most: number, costOf: (value: Value) => number = () => 1) {
    this.#most = most;
    this.#costOf = costOf;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Returns a value, and makes its entry the most recently used. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** Adds or replaces an entry, and returns its value. */
  set(key: Key, value: Value): Value {
    this.delete(key);
    this.#entries.set(key, value);
    this.#cost += this.#costOf(value);
    for (const oldest of this.#entries.keys()) {
      if (this.#cost <= this.#most || oldest === key) break;
      this.delete(oldest);
    }
    return value;
  }

  delete(key: Key): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#cost -= this.#costOf(value);
  }
}
