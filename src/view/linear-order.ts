/** Puts the states of a frame into one order, from which their layers are made: arrows along it lead down. */
import type { Sliced } from '../sliced.ts';
import type { Edge } from './layering.ts';

/** Of the edges that lead back in the order of the document, another order must save this share. */
const SAVED = 0.2;

/** What an edge costs that leads back, in places that edges lead over. */
const BACK = 40;

/** What each place before the first item costs, in the same unit. */
const BEFORE_FIRST = 3;

/** Rounds of sifting, and the units of all, some 0.1 s. */
const ROUNDS = 12;
const SIFTING_MOST = 10_000;

/** Comparisons of two places in one unit of work. */
const COMPARED = 1_500;

/**
 * Returns a linear order of items in which few edges lead back, and far. The order of the document is kept where no other
 * order has far fewer of them that lead back: it is the one that a reader knows, and neighbours in it are often linked.
 *
 * @param first the item to begin with.
 * @returns the place of each item.
 */
export function* linearOrder(count: number, edges: readonly Edge[], first = 0): Sliced<readonly number[]> {
  const document = Array.from({ length: count }, (_, i) => i);
  const next: number[][] = document.map(() => []);
  for (const { from, to } of edges) if (from !== to) next[from]?.push(to);
  for (const list of next) list.sort((a, b) => a - b);
  const starts = [first, ...document];
  const others = [
    depthFirst(next, starts),
    depthFirst(
      next.map((list) => list.toReversed()),
      starts,
    ),
  ];
  yield 0.1 * (count + edges.length);
  const backs = (places: readonly number[]) =>
    edges.filter(({ from, to }) => (places[from] ?? 0) > (places[to] ?? 0)).length;
  if (Math.min(...others.map(backs)) >= backs(document) * (1 - SAVED)) return document;
  let best: Arrangement = { places: document, cost: Number.POSITIVE_INFINITY };
  const sifting = new Sifting(count, edges, first);
  for (const places of [...others, document]) {
    const sifted = yield* sifting.sift(places);
    if (sifted.cost < best.cost) best = sifted;
  }
  return best.places;
}

interface Arrangement {
  readonly places: readonly number[];
  readonly cost: number;
}

/** Moves one item after another to where edges lead the shortest ways. */
class Sifting {
  readonly #edges: readonly Edge[];
  readonly #first: number;
  readonly #neighbours: { readonly item: number; readonly isNext: boolean }[][];
  #left = SIFTING_MOST;

  constructor(count: number, edges: readonly Edge[], first: number) {
    this.#edges = edges;
    this.#first = first;
    this.#neighbours = Array.from({ length: count }, () => []);
    for (const { from, to } of edges) {
      if (from === to) continue;
      this.#neighbours[from]?.push({ item: to, isNext: true });
      this.#neighbours[to]?.push({ item: from, isNext: false });
    }
  }

  *sift(start: readonly number[]): Sliced<Arrangement> {
    const places = [...start];
    const items = new Array<number>(places.length);
    for (const [item, place] of places.entries()) items[place] = item;
    for (let round = 0, hasMoved = true; round < ROUNDS && hasMoved && this.#left > 0; round++) {
      hasMoved = false;
      for (let item = 0; item < places.length && this.#left > 0; item++) {
        const own = this.#neighbours[item]?.length ?? 0;
        const units = 0.1 + (2 * this.#edges.length + own * places.length) / COMPARED;
        this.#left -= units;
        yield units;
        const from = places[item] ?? 0;
        const to = this.#bestFor(item, places, items);
        const step = Math.sign(to - from);
        for (let place = from; place !== to; place += step) {
          const other = items[place + step] ?? 0;
          items[place] = other;
          places[other] = place;
        }
        items[to] = item;
        places[item] = to;
        hasMoved ||= to !== from;
      }
    }
    return { places, cost: this.#costOf(places) };
  }

  /** @returns the place at which an item costs least; its own where no other costs less. */
  #bestFor(item: number, places: readonly number[], items: readonly number[]): number {
    const from = places[item] ?? 0;
    let best = { place: from, change: 0 };
    for (const step of [1, -1]) {
      let change = 0;
      for (let place = from + step; place >= 0 && place < items.length; place += step) {
        change += this.#changeOf(item, items[place] ?? 0, step, places);
        if (change < best.change) best = { place, change };
      }
    }
    return best.place;
  }

  /** @returns what it costs if an item passes the one beside it, down (1) or up (-1). */
  #changeOf(item: number, other: number, step: number, places: readonly number[]): number {
    const at = places[other] ?? 0;
    let change = 0;
    if (item === this.#first) change += step * BEFORE_FIRST;
    if (other === this.#first) change -= step * BEFORE_FIRST;
    for (const neighbour of this.#neighbours[item] ?? []) {
      if (neighbour.item === other) change += neighbour.isNext === step > 0 ? BACK : -BACK;
      else change += (places[neighbour.item] ?? 0) * step < at * step ? 1 : -1;
    }
    for (const { item: neighbour } of this.#neighbours[other] ?? []) {
      if (neighbour !== item) change += (places[neighbour] ?? 0) * step > at * step ? 1 : -1;
    }
    return change;
  }

  #costOf(places: readonly number[]): number {
    let cost = BEFORE_FIRST * (places[this.#first] ?? 0);
    for (const { from, to } of this.#edges) {
      const length = (places[to] ?? 0) - (places[from] ?? 0);
      cost += Math.abs(length) + (length < 0 ? BACK : 0);
    }
    return cost;
  }
}

/** @returns the places of items in the reverse of the order in which a depth-first search leaves them. */
function depthFirst(next: readonly (readonly number[])[], starts: readonly number[]): number[] {
  const places = new Array<number>(next.length).fill(-1);
  const isSeen = new Array<boolean>(next.length).fill(false);
  let place = next.length;
  // The last start is left first, so that the first one has the first place.
  const left: number[] = [];
  for (const start of starts) {
    if (isSeen[start]) continue;
    const trail: number[] = [];
    const stack = [{ item: start, at: 0 }];
    isSeen[start] = true;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = next[top.item]?.[top.at];
      top.at += 1;
      if (child === undefined) {
        trail.push(top.item);
        stack.pop();
      } else if (!isSeen[child]) {
        isSeen[child] = true;
        stack.push({ item: child, at: 0 });
      }
    }
    left.unshift(...trail);
  }
  for (const item of left) places[item] = --place;
  return places;
}
