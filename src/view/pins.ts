/** Places the pins of boxes and the ports of a frame: where lines meet them. */
import type { Sliced } from '../sliced.ts';
import { PIN_MARGIN } from './placement.ts';
import { type Item, type Pin, spread, type Wire } from './rows.ts';

/** The distance between two pins, and between two ports, px. */
const PIN_GAP = 16;
const PORT_GAP = 14;

/** Gives each pin its place: on a box as near as possible to where its line comes from. */
export function* placePins(wires: readonly Wire[]): Sliced<void> {
  for (const { pins } of wires) for (const pin of pins) pin.x = pin.item.x + (pin.fixed ?? 0);
  const sides = new Map<Item, { top: Wish[]; bottom: Wish[] }>();
  for (const { pins } of wires) {
    yield 0.1 * pins.length;
    for (const pin of pins) {
      if (pin.item.kind !== 'box') continue;
      let side = sides.get(pin.item);
      if (side === undefined) {
        side = { top: [], bottom: [] };
        sides.set(pin.item, side);
      }
      side[pin.isTop ? 'top' : 'bottom'].push({ pin, from: nearest(pin, pins) });
    }
  }
  for (const [item, { top, bottom }] of sides) {
    yield 0.2 * (top.length + bottom.length);
    placeSide(item, top);
    placeSide(item, bottom);
  }
}

/** A pin, and the place from where its line comes. */
interface Wish {
  readonly pin: Pin;
  readonly from: number;
}

/** @returns the place of the other pin of a wire that is nearest to the middle of a pin's box. */
function nearest(pin: Pin, pins: readonly Pin[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (const other of pins) {
    if (other !== pin && Math.abs(other.x - pin.item.x) < Math.abs(best - pin.item.x)) best = other.x;
  }
  return Number.isFinite(best) ? best : pin.item.x;
}

function placeSide(item: Item, wanted: readonly Wish[]): void {
  const half = Math.max(0, item.width / 2 - PIN_MARGIN);
  const [left, right] = [item.x - half, item.x + half];
  const wishes = wanted
    .map(({ pin, from }) => {
      const at = pin.fixed === undefined ? Math.min(Math.max(from, left), right) : item.x + pin.fixed;
      return { pin, from, at, weight: pin.fixed === undefined ? 1 : 1e6 };
    })
    .sort((a, b) => a.at - b.at || a.from - b.from);
  const gap = Math.min(PIN_GAP, (right - left) / Math.max(1, wishes.length - 1));
  const gaps = wishes.map((_, i) => (i === 0 ? 0 : gap));
  const places = spread(wishes, gaps);
  // Pins that had to move apart stay on the box.
  const [least, most] = [places[0] ?? left, places.at(-1) ?? right];
  const over = most > right ? most - right : Math.min(0, least - left);
  for (const [i, { pin }] of wishes.entries()) {
    pin.x = pin.fixed === undefined ? (places[i] ?? item.x) - over : item.x + pin.fixed;
  }
}

/** Places ports near to the ends of their lines, beyond a bound. */
export function placePorts(ports: Iterable<Item>, wires: readonly Wire[], bound: number): void {
  const wishes: { port: Item; at: number; weight: number }[] = [];
  const pinsOf = new Map<Item, Pin[]>();
  for (const { pins } of wires)
    for (const pin of pins) if (pin.item.kind === 'port') pinsOf.set(pin.item, pins);
  for (const port of ports) {
    const xs = (pinsOf.get(port) ?? []).filter(({ item }) => item !== port).map(({ x }) => x);
    // Directly in line with one of several, so that one line is straight.
    const mean = xs.reduce((sum, x) => sum + x, 0) / Math.max(1, xs.length);
    const at = xs.reduce((best, x) => (Math.abs(x - mean) < Math.abs(best - mean) ? x : best), xs[0] ?? 0);
    wishes.push({ port, at: Math.max(at, bound), weight: 1 });
  }
  wishes.sort((a, b) => a.at - b.at);
  const places = spread(
    wishes,
    wishes.map((_, i) => (i === 0 ? 0 : PORT_GAP)),
  );
  let from = bound;
  for (const [i, { port }] of wishes.entries()) {
    port.x = Math.max(places[i] ?? 0, from);
    from = port.x + PORT_GAP;
  }
  for (const { pins } of wires) for (const pin of pins) if (pin.item.kind === 'port') pin.x = pin.item.x;
}
