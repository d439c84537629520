/** Long work in slices: its parts, and the pauses between them. */
import { describe, expect, it } from 'vitest';
import { SLICE_UNITS } from '../src/limits.ts';
import { LruCache } from '../src/lru-cache.ts';
import type { Sliced } from '../src/sliced.ts';
import { inSlices, nextSlice, SharedWork, Task } from '../src/slices.ts';

/** Does parts of given costs, and notes each in `done`. */
function* parts(costs: readonly number[], done: number[] = []): Sliced<number> {
  for (const cost of costs) {
    yield cost;
    done.push(cost);
  }
  return done.length;
}

/** Fills the present slice, so that the next one is empty. */
async function fill(): Promise<void> {
  await inSlices(parts([SLICE_UNITS]));
}

const THIRD = SLICE_UNITS / 3;

describe('a slice', () => {
  it('ends before its units are exceeded', async () => {
    await fill();
    const done: number[] = [];
    const task = new Task(parts([THIRD, THIRD, 2 * THIRD, THIRD], done));
    await nextSlice();
    expect([task.advance(), done.length]).toEqual([undefined, 2]);
    await nextSlice();
    expect([task.advance(), done.length]).toEqual([{ result: 4 }, 4]);
  });

  it('has one part alone if that costs more', async () => {
    await fill();
    const done: number[] = [];
    const task = new Task(parts([1, 10 * SLICE_UNITS, 1], done));
    for (const after of [1, 2]) {
      await nextSlice();
      expect([task.advance(), done.length]).toEqual([undefined, after]);
    }
    await nextSlice();
    expect(task.advance()).toEqual({ result: 3 });
  });

  it('is shared by all work of the isolate', async () => {
    await fill();
    const done: number[] = [];
    await nextSlice();
    expect(new Task(parts([2 * THIRD], done)).advance()).toEqual({ result: 1 });
    const other = new Task(parts([2 * THIRD], done));
    expect([other.advance(), done.length]).toEqual([undefined, 1]);
  });

  it('is followed by a pause, in which timers fire and other requests are served', async () => {
    await fill();
    let isOver = false;
    let turns = 0;
    const other = (async () => {
      for (; !isOver; turns++) await scheduler.wait(0);
    })();
    await inSlices(parts(Array.from({ length: 10 }, () => SLICE_UNITS)));
    isOver = true;
    await other;
    expect(turns).toBeGreaterThanOrEqual(10);
  });
});

describe('shared work', () => {
  const slices = () => parts([SLICE_UNITS, SLICE_UNITS, SLICE_UNITS]);

  it('is done once for all requests of one result, and one work at a time', async () => {
    const begun: string[] = [];
    const work = new SharedWork(new LruCache<string, number>(10));
    const resultOf = (key: string) =>
      work.result(key, function* () {
        begun.push(key);
        const result = yield* slices();
        begun.push(`${key} done`);
        return result;
      });
    expect(await Promise.all([resultOf('a'), resultOf('b'), resultOf('a')])).toEqual([3, 3, 3]);
    expect(await resultOf('b')).toBe(3);
    expect(begun).toEqual(['a', 'a done', 'b', 'b done']);
  });

  it('that fails is refused to its own request only', async () => {
    const work = new SharedWork(new LruCache<string, number>(10));
    const failing = work.result('a', function* () {
      yield* slices();
      throw new Error('it cannot be drawn');
    });
    const [a, b] = await Promise.allSettled([failing, work.result('b', slices)]);
    expect([a.status, b]).toEqual(['rejected', { status: 'fulfilled', value: 3 }]);
  });
});
