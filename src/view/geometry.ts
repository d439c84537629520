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
  /** Where the arrow is cut, because there are too many: the name of its target, and its place. */
  readonly tag?: Point & { readonly text: string };
}

/** A dot at an end of an arrow: `initial` before the initial state, `port` at the border of the enclosing state. */
export interface Dot extends Point {
  readonly kind: 'initial' | 'port';
}

export const CAPTION_SIZE = 11;
const CAPTION_LENGTH = 40;
export const CAPTION_LINE = 15;

/** The width reserved for a caption's counter: `2 of 3`, `1h 30m left`. */
const COUNTER_WIDTH = 72;

/** The diameter of the dot before an initial state. */
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

/** @returns a line without the points between two others on a straight piece of it. */
export function straightened(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    const [before, last] = [kept.at(-2), kept.at(-1)];
    if (last !== undefined && Math.abs(last.x - point.x) < 0.5 && Math.abs(last.y - point.y) < 0.5) continue;
    if (before !== undefined && last !== undefined) {
      const isOnX = Math.abs(before.x - last.x) < 0.5 && Math.abs(last.x - point.x) < 0.5;
      const isOnY = Math.abs(before.y - last.y) < 0.5 && Math.abs(last.y - point.y) < 0.5;
      if (isOnX || isOnY) kept.pop();
    }
    kept.push(point);
  }
  return kept;
}
