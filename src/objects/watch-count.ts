/** Counts the open watches of all objects in one isolate; `npm start` has one isolate, with the edge in it. */

/** Open watches by object. A WebSocket stays open while its object hibernates, so the objects cannot hold the counts. */
class WatchCount {
  readonly #byObject = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Objects with open watches. */
  get objects(): number {
    return this.#byObject.size;
  }

  set(object: string, count: number): void {
    this.#total += count - (this.#byObject.get(object) ?? 0);
    if (count === 0) this.#byObject.delete(object);
    else this.#byObject.set(object, count);
  }

  /** Counts one watch less, where the object does not know how many are left. */
  decrement(object: string): void {
    this.set(object, Math.max(0, (this.#byObject.get(object) ?? 0) - 1));
  }
}

export const watchCount = new WatchCount();
