/**
 * The difference of two texts by lines: the greedy algorithm of Myers, "An O(ND) Difference Algorithm and Its Variations"
 * (Algorithmica 1, 1986), in stages. A stage ends after `STAGE_EDITS` edits at the point that is furthest from its start, and the
 * next one goes on from there. So time and memory are bounded, and a difference with many edits may be longer than
 * the shortest one. After `STEPS` in total, the rest is one block.
 */
import { CHART_LINES } from '../chart-limits.ts';

/** Consecutive lines that both texts have, or that only one has. */
export interface Block {
  readonly kind: 'same' | 'removed' | 'added';
  readonly lines: readonly string[];
}

/** Edits of a stage. Its memory grows with their square: 256 KiB. */
const STAGE_EDITS = 256;

/** Comparisons of lines of all stages, some 5 ns each, and what a diagonal costs in them. */
const STEPS = 2_000_000;
const DIAGONAL = 6;

/** @returns the blocks in order; within a change, what was removed comes first. */
export function diffLines(before: string, after: string): readonly Block[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  // No chart: it is shown as a whole.
  if (Math.max(a.length, b.length) > CHART_LINES) return new Blocks(a, b).end();
  const ids = new Map<string, number>();
  const idOf = (line: string) => {
    const known = ids.get(line);
    if (known !== undefined) return known;
    ids.set(line, ids.size);
    return ids.size - 1;
  };
  const blocks = new Blocks(a, b);
  for (const run of matches(Int32Array.from(a, idOf), Int32Array.from(b, idOf))) blocks.add(run);
  return blocks.end();
}

/** @returns the lines of a text, without their ends; a line end at the end of the text begins no line. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Equal lines: `length` of them, from `x` of the one text and from `y` of the other. */
interface Match {
  readonly x: number;
  readonly y: number;
  readonly length: number;
}

/** Finds matches, in order and without overlap. */
function* matches(a: Int32Array, b: Int32Array): Generator<Match> {
  let [aEnd, bEnd] = [a.length, b.length];
  while (aEnd > 0 && bEnd > 0 && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd -= 1;
    bEnd -= 1;
  }
  const budget = { steps: STEPS };
  let [x, y] = [0, 0];
  while (x < aEnd && y < bEnd && budget.steps > 0) {
    const found = stage(a.subarray(0, aEnd), b.subarray(0, bEnd), x, y, budget);
    yield* found.matches;
    ({ x, y } = found);
  }
  if (aEnd < a.length) yield { x: aEnd, y: bEnd, length: a.length - aEnd };
}

/** Searches from a point. @returns the matches up to the end, or up to the furthest point that the edits of a stage reach. */
function stage(a: Int32Array, b: Int32Array, fromX: number, fromY: number, budget: { steps: number }) {
  // Of each diagonal, y - x from the start on, the furthest x. `traces[d]` has them as they were before edit d.
  const offset = STAGE_EDITS + 1;
  const furthest = new Int32Array(2 * offset + 1).fill(-1);
  furthest[offset + 1] = fromX;
  const traces: Int32Array[] = [];
  let best = { x: fromX, y: fromY, d: 0, k: 0 };
  search: for (let d = 0; d <= STAGE_EDITS; d++) {
    traces.push(furthest.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const isDown = k === -d || (k !== d && at(furthest, offset + k - 1) < at(furthest, offset + k + 1));
      let x = isDown ? at(furthest, offset + k + 1) : at(furthest, offset + k - 1) + 1;
      let y = x - fromX - k + fromY;
      const begun = x;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
      }
      furthest[offset + k] = x;
      budget.steps -= x - begun + DIAGONAL;
      if (x > a.length || y > b.length) continue;
      if (x + y > best.x + best.y) best = { x, y, d, k };
      if (x === a.length && y === b.length) break search;
    }
    if (budget.steps <= 0) break;
  }
  return { x: best.x, y: best.y, matches: pathTo(best, traces, fromX, fromY) };
}

/** Follows the traces back from a point. @returns the matches on the way to it, in order. */
function pathTo(
  { x: endX, y: endY, d: edits, k: diagonal }: { x: number; y: number; d: number; k: number },
  traces: readonly Int32Array[],
  fromX: number,
  fromY: number,
): Match[] {
  const found: Match[] = [];
  let [x, y, k] = [endX, endY, diagonal];
  for (let d = edits; d >= 0; d--) {
    const trace = traces[d] ?? new Int32Array();
    const before = (diagonal: number) => at(trace, diagonal + d + 1);
    const isDown = k === -d || (k !== d && before(k - 1) < before(k + 1));
    const previous = isDown ? k + 1 : k - 1;
    const previousX = before(previous);
    const begunX = isDown ? previousX : previousX + 1;
    if (x > begunX) found.push({ x: begunX, y: y - (x - begunX), length: x - begunX });
    [x, y, k] = [previousX, previousX - fromX - previous + fromY, previous];
  }
  return found.reverse();
}

function at(values: Int32Array, index: number): number {
  return values[index] ?? -1;
}

/** Makes blocks of the matches and of what is between them. */
class Blocks {
  readonly #a: readonly string[];
  readonly #b: readonly string[];
  readonly #blocks: { kind: Block['kind']; lines: string[] }[] = [];
  #x = 0;
  #y = 0;

  constructor(a: readonly string[], b: readonly string[]) {
    this.#a = a;
    this.#b = b;
  }

  add({ x, y, length }: Match): void {
    this.#push('removed', this.#a.slice(this.#x, x));
    this.#push('added', this.#b.slice(this.#y, y));
    this.#push('same', this.#a.slice(x, x + length));
    [this.#x, this.#y] = [x + length, y + length];
  }

  end(): readonly Block[] {
    this.add({ x: this.#a.length, y: this.#b.length, length: 0 });
    return this.#blocks;
  }

  #push(kind: Block['kind'], lines: string[]): void {
    if (lines.length === 0) return;
    const last = this.#blocks.at(-1);
    if (last?.kind === kind) last.lines = last.lines.concat(lines);
    else this.#blocks.push({ kind, lines });
  }
}
