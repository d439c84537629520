/** The order from which layers are made: that of the document, or one in which few edges lead back, and far. */
import { describe, expect, it } from 'vitest';
import { atOnce } from '../../src/sliced.ts';
import { linearOrder } from '../../src/view/linear-order.ts';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const orderOf = (count: number, edges: readonly (readonly [number, number])[], first = 0) =>
  atOnce(
    linearOrder(
      count,
      edges.map(([from, to]) => ({ from, to })),
      first,
    ),
  );
const chain = (count: number) => range(count - 1).map((i) => [i, i + 1] as const);

describe('the order of states', () => {
  it('is that of the document where another saves few edges back', () => {
    // Six lead back here, and five in another order.
    const back = [
      [15, 9],
      [6, 0],
      [15, 13],
      [9, 1],
      [15, 11],
      [5, 3],
    ] as const;
    const edges = [...chain(16), [2, 14], [10, 14], [1, 7], ...back] as const;
    expect(orderOf(16, edges)).toEqual(range(16));
  });

  it('is another where the document has its states in no order', () => {
    // The chain leads through 0, 7, 14, and so on, modulo 20.
    const edges = chain(20).map(([a, b]) => [(a * 7) % 20, (b * 7) % 20] as const);
    const places = orderOf(20, edges);
    expect(edges.map(([from, to]) => (places[to] ?? 0) - (places[from] ?? 0))).toEqual(edges.map(() => 1));
  });

  it('has each state once, and linked states near each other', () => {
    const count = 60;
    let state = 3;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const edges = range(2 * count).map((i) => [i % count, Math.floor(random() * count)] as const);
    const places = orderOf(count, edges);
    expect([...places].sort((a, b) => a - b)).toEqual(range(count));
    const length = (order: readonly number[]) =>
      edges.reduce((sum, [from, to]) => sum + Math.abs((order[to] ?? 0) - (order[from] ?? 0)), 0);
    const back = (order: readonly number[]) =>
      edges.filter(([from, to]) => (order[to] ?? 0) < (order[from] ?? 0)).length;
    expect(length(places)).toBeLessThan(0.7 * length(range(count)));
    expect(back(places)).toBeLessThan(0.5 * back(range(count)));
  });
});
