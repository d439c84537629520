/** The shapes that a drawing is made of, and how large its text is. All lengths are in px. */

import { shortened, textWidth } from './format.ts';
import type { Arrow, Node } from './graph.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Its upper left corner, and its extent. */
export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

/** A state where it stands. */
export interface Box extends Rectangle {
  readonly node: Node;
  readonly title: string;
}

/** An arrow where it runs, and its captions. */
export interface Line {
  readonly arrow: Arrow;
  readonly points: readonly Point[];
  readonly label: Rectangle;
}

/** A dot that an arrow begins or ends at: where a state is entered first, or the edge of the state around. */
export interface Dot extends Point {
  readonly kind: 'initial' | 'port';
}

/** Where the states and arrows inside one state stand. Its upper left corner is the origin. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Outer ones first: what is drawn later lies above. */
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly dots: readonly Dot[];
  /** From where a state is entered first. */
  readonly entries: readonly (readonly Point[])[];
}

const CAPTION_SIZE = 11;
const CAPTION_LENGTH = 40;
export const CAPTION_LINE = 15;

/** Room for what a caption says beside its words: `2 of 3`, `1h 30m left`. */
const COUNTER_WIDTH = 72;

/** The diameter of a dot. */
export const DOT = 12;

/** @returns the captions' words as there is room for them. */
export function captionText(text: string): string {
  return shortened(text, CAPTION_LENGTH);
}

export function captionWidth({ text, counter }: Arrow['captions'][number]): number {
  return textWidth(captionText(text), CAPTION_SIZE) + (counter === undefined ? 0 : COUNTER_WIDTH);
}

/** @returns the room that the captions of an arrow take, one below the other. */
export function labelExtent({ captions }: Arrow): { width: number; height: number } {
  if (captions.length === 0) return { width: 0, height: 0 };
  return {
    width: Math.max(...captions.map((caption) => captionWidth(caption))) + 8,
    height: captions.length * CAPTION_LINE + 4,
  };
}

/** Moves a frame and everything in it. */
export function moved(frame: Frame, { x, y }: Point): Frame {
  const move = <Item extends Point>(item: Item): Item => ({ ...item, x: item.x + x, y: item.y + y });
  return {
    ...frame,
    boxes: frame.boxes.map(move),
    lines: frame.lines.map((line) => ({ ...line, points: line.points.map(move), label: move(line.label) })),
    dots: frame.dots.map(move),
    entries: frame.entries.map((points) => points.map(move)),
  };
}
