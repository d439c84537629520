/** The shapes of a layout, and the size of its captions. All lengths are in px. */

import { shortened, textWidth } from './format.ts';
import type { Arrow, Node } from './graph.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The point is the upper left corner. */
export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

/** A state with its position. */
export interface Box extends Rectangle {
  readonly node: Node;
  readonly title: string;
}

/** An arrow with its path and the position of its captions. */
export interface Line {
  readonly arrow: Arrow;
  readonly points: readonly Point[];
  readonly label: Rectangle;
}

/** A dot at an end of an arrow: `initial` before the initial state, `port` at the border of the enclosing state. */
export interface Dot extends Point {
  readonly kind: 'initial' | 'port';
}

/** The layout of the inside of one state. The origin is its upper left corner. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Outer boxes first: a later box is drawn over an earlier one. */
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly dots: readonly Dot[];
  /** Paths from the initial dots to the initial states. */
  readonly entries: readonly (readonly Point[])[];
}

const CAPTION_SIZE = 11;
const CAPTION_LENGTH = 40;
export const CAPTION_LINE = 15;

/** The width reserved for a caption's counter: `2 of 3`, `1h 30m left`. */
const COUNTER_WIDTH = 72;

/** The diameter of a dot. */
export const DOT = 12;

/** @returns the text of a caption, shortened to the room it has. */
export function captionText(text: string): string {
  return shortened(text, CAPTION_LENGTH);
}

export function captionWidth({ text, counter }: Arrow['captions'][number]): number {
  return textWidth(captionText(text), CAPTION_SIZE) + (counter === undefined ? 0 : COUNTER_WIDTH);
}

/** @returns the size of an arrow's captions, stacked. */
export function labelExtent({ captions }: Arrow): { width: number; height: number } {
  if (captions.length === 0) return { width: 0, height: 0 };
  return {
    width: Math.max(...captions.map((caption) => captionWidth(caption))) + 8,
    height: captions.length * CAPTION_LINE + 4,
  };
}

/** @returns the units of `translated` (`Sliced`). */
export function translationCost({ boxes, lines }: Frame): number {
  return 0.1 * (boxes.length + lines.length);
}

/** @returns a frame translated by (x, y), with everything in it. */
export function translated(frame: Frame, { x, y }: Point): Frame {
  const move = <Item extends Point>(item: Item): Item => ({ ...item, x: item.x + x, y: item.y + y });
  return {
    ...frame,
    boxes: frame.boxes.map(move),
    lines: frame.lines.map((line) => ({ ...line, points: line.points.map(move), label: move(line.label) })),
    dots: frame.dots.map(move),
    entries: frame.entries.map((points) => points.map(move)),
  };
}
