/** The grid of a frame's layout: its children in columns of rows, and the ways of the arrows through them. */
import type { Sliced } from '../sliced.ts';
import type { FrameOptions, Link } from './frame-options.ts';
import { DOT } from './geometry.ts';
import type { Place } from './layering.ts';
import { type Item, join, type Pin, type Route, type Row, type Step, type Wire } from './rows.ts';

/** A column: rows of captions and rows of boxes in turn, and the channels below each row but the last. */
export interface Column {
  readonly rows: Row[];
  readonly channels: Wire[][];
  /** Lines that pass on the left of the column, from the channel above all columns to the one below all. */
  readonly risers: Row;
}

/** The room for the arrowhead and the name of the target where an arrow is cut, px. */
export const TAG = { width: 90, height: 32, head: 14 };

/** The diameter of the dot of a port, and the width of a line, px. */
export const PORT_DOT = 8;
const THIN = 4;

/** A place in a row, on the right of all its items. */
const FAR = 100_000;

/** A row that a net passes. `at` is undefined for a riser. */
interface Bend {
  readonly key: string;
  readonly column: number;
  readonly row: number | undefined;
  readonly isDown: boolean;
}

export class Grid {
  readonly columns: Column[] = [];
  /** The channels above and below all columns. */
  readonly outer: { readonly top: Wire[]; readonly bottom: Wire[] } = { top: [], bottom: [] };
  /** The ports at the upper and at the lower edge of the frame. */
  readonly ports: { readonly top: Map<string, Item>; readonly bottom: Map<string, Item> } = {
    top: new Map(),
    bottom: new Map(),
  };
  readonly boxes: readonly Item[];
  readonly routes: Route[] = [];
  /** The dot before the initial state. */
  readonly dot: Item | undefined;
  readonly entry: Route | undefined;
  readonly #options: FrameOptions;
  readonly #columnOf: readonly number[];
  readonly #wires = new Map<string, Wire>();
  readonly #items = new Map<string, Item>();
  readonly #pins = new Map<string, Pin>();
  /** The columns of items in the outer channels: risers are half a column before theirs. */
  readonly #where = new Map<Item, number>();

  /** @param widths of the children, with room for their pins. @param places of the children. */
  constructor(options: FrameOptions, widths: readonly number[], places: readonly Place[]) {
    const { children, initial } = options;
    this.#options = options;
    for (const { column, layer } of places) {
      while (this.columns.length <= column) this.columns.push({ rows: [[]], channels: [], risers: [] });
      const { rows = [], channels = [] } = this.columns[column] ?? {};
      while (rows.length < 2 * layer + 3) {
        rows.push([]);
        channels.push([]);
      }
    }
    this.#columnOf = places.map(({ column }) => column);
    this.boxes = children.map(({ height, beside }, index) => {
      const { column = 0, layer = 0 } = places[index] ?? {};
      return this.#add(
        { kind: 'box', width: widths[index] ?? 0, height, beside, row: 2 * layer + 1 },
        column,
        index,
      );
    });
    const first = initial === undefined ? undefined : this.boxes[initial];
    if (initial === undefined || first === undefined) return;
    const size = { width: DOT, height: DOT, beside: 0 };
    this.dot = this.#add(
      { kind: 'label', ...size, row: first.row - 1 },
      this.#columnOf[initial] ?? 0,
      initial - 0.5,
    );
    const [from, to] = [
      { item: this.dot, isTop: false, x: 0 },
      { item: first, isTop: true, x: 0, hasHead: true },
    ];
    const wire = this.#wire('initial', this.#columnOf[initial] ?? 0, first.row - 1);
    join(wire, from, to, true);
    this.entry = { steps: [{ wire, from, to }] };
  }

  /** Finds the way of each link: the short ones first, as long ones may be beyond the budget. */
  *route(): Sliced<void> {
    const { links } = this.#options;
    const lengths = links.map((link) => this.#lengthOf(link));
    yield 0.5 * links.length;
    for (const index of [...links.keys()].sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0))) {
      const link = links[index];
      if (link === undefined) continue;
      this.routes[index] = this.#routeOf(link, index);
      yield 0.5 + 0.05 * (this.routes[index]?.steps.length ?? 0);
    }
  }

  /** @returns all rows below each other, as if the columns were not beside each other. */
  unfolded(): Row[] {
    return this.columns.flatMap(({ risers, rows }) => [risers, ...rows]);
  }

  #routeOf(link: Link, index: number): Route {
    const { net, from, label } = link;
    const { budget } = this.#options;
    const steps: Step[] = [];
    const isLong = this.#lengthOf(link) > budget.steps;
    const bends = isLong ? [] : this.#bendsOf(link);
    const missing = bends.filter(({ key }) => !this.#items.has(key)).length;
    const isCut = isLong || missing > budget.bends;
    // Looking for a way costs as much as the way.
    budget.steps -= bends.length;
    let pin = this.#sourcePin(link, index);
    let own: Item | undefined;
    const go = (key: string, next: Pin, leave: Pin = next) => {
      const column = this.#where.get(pin.item) ?? 0;
      const channel = this.#channelBeyond(pin, column);
      const isAbove = pin.item.kind === 'port' ? !pin.isTop : pin.isTop;
      const wire = this.#wire(key, column, channel, isAbove ? 'top' : 'bottom');
      join(wire, pin, next, channel !== undefined);
      if (channel === undefined) this.#fold(pin.item, next.item, isAbove ? 'top' : 'bottom');
      steps.push({ wire, from: pin, to: next });
      pin = leave;
    };
    // A port without captions leads to the first bend.
    if (from !== undefined || label !== undefined) {
      const key = link.fromPort === undefined ? `own ${index}` : `own ${from} ${net}`;
      own = this.#ownItem(link, key, pin.item.row, isCut);
      const isTop = link.direction > 0;
      const near = this.#pin(`near ${key}`, { item: own, isTop, x: 0 });
      go(key, near, this.#pin(`far ${key}`, { item: own, isTop: !isTop, x: 0 }));
    }
    if (isCut) return { steps, isCut, ...(own === undefined ? {} : { label: own }) };
    budget.bends -= missing;
    for (const bend of bends) {
      const item = this.#bend(bend, link);
      const enter = this.#pin(`enter ${bend.key}`, { item, isTop: bend.isDown, x: 0 });
      go(net, enter, this.#pin(`leave ${bend.key}`, { item, isTop: !bend.isDown, x: 0 }));
    }
    go(net, this.#targetPin(link));
    return { steps, ...(own?.kind === 'label' ? { label: own } : {}) };
  }

  /** The column in which a link begins. */
  #columnAt({ from, to }: Link): number {
    return this.#columnOf[from ?? to ?? 0] ?? 0;
  }

  /** The item directly beyond the source: the captions of a link, or a bend. Links through one port share it. */
  #ownItem(link: Link, key: string, row: number, isCut: boolean): Item {
    const { direction, from, to, label } = link;
    const known = this.#items.get(key);
    if (known !== undefined) return known;
    const column = this.#columnAt(link);
    const last = (this.columns[column]?.rows.length ?? 1) - 1;
    const own = this.#add(
      {
        kind: label === undefined && !isCut ? 'bend' : 'label',
        width: Math.max(label?.width ?? THIN, isCut ? TAG.width : 0),
        height: (label?.height ?? 0) + (isCut ? TAG.height : 0),
        beside: 0,
        row: from === undefined ? (direction > 0 ? 0 : last) : row + direction,
      },
      column,
      ((from ?? to ?? 0) + (to ?? from ?? 0)) / 2,
    );
    this.#items.set(key, own);
    return own;
  }

  /** @returns what a link passes: rows of the column of its source; if that of its target is another, a riser, and rows of it. */
  #bendsOf(link: Link): Bend[] {
    const { net, direction } = link;
    const bends: Bend[] = [];
    const isDown = direction > 0;
    const { source, target, first, exit, entry, end } = this.#spanOf(link);
    const pass = (column: number, from: number, before: number) => {
      for (let row = from; isDown ? row < before : row > before; row += direction) {
        bends.push({ column, row, isDown, key: `${net} ${column} ${row}` });
      }
    };
    if (source === target) {
      pass(source, first, end ?? exit);
      return bends;
    }
    pass(source, first, exit);
    // Between the two, beside the target.
    const beside = target < source ? target + 1 : target;
    bends.push({ column: beside, row: undefined, isDown: !isDown, key: `${net} beside ${beside}` });
    pass(target, entry, end ?? entry);
    return bends;
  }

  /** @returns the number of bends of a link. */
  #lengthOf(link: Link): number {
    const { source, target, first, exit, entry, end } = this.#spanOf(link);
    if (source === target) return Math.max(0, ((end ?? exit) - first) * link.direction);
    return Math.max(0, (exit - first) * link.direction) + 1 + Math.abs((end ?? entry) - entry);
  }

  /** @returns the columns of a link's ends, and the rows: the first that it passes, its last and its first in a column, its end. */
  #spanOf(link: Link) {
    const { direction, from, to, label } = link;
    const isDown = direction > 0;
    const [source, target] = [this.#columnAt(link), this.#columnOf[to ?? from ?? 0] ?? 0];
    const rowsOf = (column: number) => this.columns[column]?.rows.length ?? 0;
    const rowOf = (child: number | undefined) => (child === undefined ? undefined : this.boxes[child]?.row);
    const [start, end] = [rowOf(from), rowOf(to)];
    const entry = isDown ? 0 : rowsOf(target) - 1;
    const exit = isDown ? rowsOf(source) : -1;
    // Beyond the source is the row of its captions; a port without captions has none.
    const first = start === undefined ? entry + (label === undefined ? 0 : direction) : start + 2 * direction;
    return { source, target, first, exit, entry, end };
  }

  #bend({ key, column, row }: Bend, { from, to }: Link): Item {
    const known = this.#items.get(key);
    if (known !== undefined) return known;
    const size = { kind: 'bend', width: THIN, height: 0, beside: 0 } as const;
    const bend = this.#add({ ...size, row: row ?? -1 }, column, to ?? from ?? 0);
    this.#items.set(key, bend);
    return bend;
  }

  /** @param row -1 for a riser. */
  #add(
    item: Omit<Item, 'order' | 'x' | 'y' | 'above' | 'below' | 'beyond'>,
    column: number,
    order: number,
  ): Item {
    const whole: Item = {
      ...item,
      order,
      x: 0,
      y: 0,
      above: [],
      below: [],
      beyond: { above: [], below: [] },
    };
    const { rows, risers } = this.columns[column] ?? {};
    (item.row === -1 ? risers : rows?.[item.row])?.push(whole);
    this.#where.set(whole, item.row === -1 ? column - 0.5 : column);
    return whole;
  }

  /** @returns the channel of a column that a pin leads to; undefined for one beyond all columns. */
  #channelBeyond({ item, isTop }: Pin, column: number): number | undefined {
    if (item.kind === 'port' || item.row === -1) return undefined;
    const channel = isTop ? item.row - 1 : item.row;
    return channel < 0 || channel >= (this.columns[column]?.channels.length ?? 0) ? undefined : channel;
  }

  /** The wire of a net in a channel. Beyond all columns, a net has one wire above and one below them. */
  #wire(net: string, column: number, channel: number | undefined, side: 'top' | 'bottom' = 'top'): Wire {
    const key = channel === undefined ? `${net} ${side}` : `${net} ${column} ${channel}`;
    let wire = this.#wires.get(key);
    if (wire === undefined) {
      wire = { pins: [], y: 0, track: undefined };
      const list = channel === undefined ? this.outer[side] : this.columns[column]?.channels[channel];
      list?.push(wire);
      this.#wires.set(key, wire);
    }
    return wire;
  }

  #pin(key: string, pin: Pin): Pin {
    const known = this.#pins.get(key);
    if (known !== undefined) return known;
    this.#pins.set(key, pin);
    return pin;
  }

  #sourcePin(link: Link, index: number): Pin {
    const { net, direction, from, fromPort } = link;
    if (from === undefined) return this.#portPin(link, direction > 0 ? 'top' : 'bottom');
    const key = fromPort === undefined ? `source ${index}` : `source ${from} ${net}`;
    return this.#childPin(key, from, direction < 0, fromPort);
  }

  #targetPin(link: Link): Pin {
    const { net, direction, to, toPort } = link;
    if (to === undefined) return this.#portPin(link, direction > 0 ? 'bottom' : 'top');
    return this.#childPin(`target ${net}`, to, direction > 0, toPort);
  }

  #childPin(key: string, child: number, isTop: boolean, port: string | undefined): Pin {
    const item = this.boxes[child];
    if (item === undefined) throw new RangeError('an arrow to no child');
    const at = port === undefined ? undefined : this.#options.children[child]?.ports.get(port);
    const more = at === undefined ? {} : { fixed: at - item.width / 2 };
    return this.#pin(key, {
      item,
      isTop,
      x: 0,
      hasHead: key.startsWith('target') && at === undefined,
      ...more,
    });
  }

  #portPin({ net, isOwn }: Link, side: 'top' | 'bottom'): Pin {
    let item = this.ports[side].get(net);
    if (item === undefined) {
      const size = isOwn ? { width: PORT_DOT, height: PORT_DOT } : { width: THIN, height: 0 };
      item = {
        kind: 'port',
        ...size,
        beside: 0,
        row: -1,
        order: 0,
        x: 0,
        y: 0,
        above: [],
        below: [],
        beyond: { above: [], below: [] },
      };
      this.ports[side].set(net, item);
    }
    return this.#pin(`port ${side} ${net}`, { item, isTop: side === 'bottom', x: 0 });
  }

  /** Joins two items beyond all columns, for their order. */
  #fold(a: Item, b: Item, side: 'top' | 'bottom'): void {
    // One is a riser or a port.
    const [upper, lower] = (a.row === -1) === (side === 'top') ? [a, b] : [b, a];
    const away = (this.#where.get(lower) ?? 0) - (this.#where.get(upper) ?? 0);
    // Below a column, lines to others than the next one are on the left: outside. Above it, they are on the right.
    const far = (side === 'top' ? FAR : -FAR) * (Math.abs(away) + 1);
    for (const [other, beyond] of [
      [lower, upper.beyond.below],
      [upper, lower.beyond.above],
    ] as const) {
      const end = away === 0.5 ? { item: other, at: 0 } : { item: undefined, at: far };
      const known = beyond.find((one) => one.item === end.item && one.at === end.at);
      if (known === undefined) beyond.push({ ...end, weight: 1 });
      else known.weight += 1;
    }
  }
}
