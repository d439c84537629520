import { chartWriting, type StateNumber } from '../chart/chart.ts';
import { LruCache } from '../lru-cache.ts';
import { SharedWork } from '../slices.ts';
import type { MachineState } from './machine-state.ts';
import type { WrittenChart } from './results.ts';

/**
 * The text of a machine's chart, of a sequence with its present values. It is written in slices, once for each revision:
 * the text of 1,000 states takes 100 ms.
 */
export class ChartText {
  readonly #texts = new SharedWork(new LruCache<string, string>(1));

  /**
   * @param left states that were entered and left.
   * @param read the text from which the chart was read.
   */
  async write(
    { chart, snapshot, source, revision }: MachineState,
    left: ReadonlySet<StateNumber>,
    read: string,
  ): Promise<WrittenChart> {
    const key = `${source.hash} ${revision}`;
    const text = await this.#texts.result(key, () => chartWriting(chart, snapshot, left, read));
    return { ok: true, text, revision };
  }
}
