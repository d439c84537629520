import type { Address } from '../address.ts';
import { chartWriting, inputFields, isDone } from '../chart/chart.ts';
import { LruCache } from '../lru-cache.ts';
import type { Refusal } from '../refusal.ts';
import { SharedWork } from '../slices.ts';
import type { NewestChart, Sources, WrittenChart } from './chart-results.ts';
import { leftStatesOf, type MachineState } from './machine-state.ts';
import { noChart } from './refusals.ts';
import type { Runtime } from './runtime.ts';

/**
 * The texts of a machine's charts. That of a sequence, which has its present values, is written in slices, once for each revision:
 * the text of 1,000 states takes 100 ms.
 */
export class ChartTexts {
  readonly #runtime: Runtime;
  readonly #address: Address;
  readonly #texts = new SharedWork(new LruCache<string, string>(1));

  constructor(runtime: Runtime, address: Address) {
    this.#runtime = runtime;
    this.#address = address;
  }

  /** The chart that the machine runs; of a run that has not begun, that with which it would begin. */
  async written(): Promise<WrittenChart | Refusal> {
    const machine = this.#runtime.current() ?? (await this.#runtime.read());
    return 'ok' in machine ? machine : this.#write(machine);
  }

  /** The chart that the machine runs, and the newest one of its address. No machine begins. */
  async sources(): Promise<Sources | Refusal> {
    const newest = await this.#newest();
    const machine = this.#runtime.current();
    if (machine === undefined) {
      return newest === undefined
        ? noChart(this.#address)
        : { ok: true, revision: 0, isUnderWay: false, newest };
    }
    const { revision, started, source, snapshot } = machine;
    const beginning = this.#runtime.store.chartText();
    const { text } = await this.#write(machine);
    return {
      ok: true,
      revision,
      isUnderWay: revision > started && !isDone(snapshot),
      own: { ...source, text, beginning },
      ...(newest === undefined ? {} : { newest }),
    };
  }

  async #newest(): Promise<NewestChart | undefined> {
    const { charts } = this.#runtime;
    const found = await charts.newest();
    if (found === undefined) return undefined;
    const read = await charts.readText(found);
    if (!read.ok) return { ...found, errors: read.errors ?? [], inputs: [] };
    const definition =
      this.#runtime.current() === undefined ? JSON.stringify(read.source.definition) : undefined;
    return {
      ...found,
      errors: [],
      inputs: inputFields(read.chart.model),
      ...(definition === undefined ? {} : { definition }),
    };
  }

  async #write(machine: MachineState): Promise<WrittenChart> {
    const { chart, snapshot, source, revision, preview } = machine;
    const { store } = this.#runtime;
    const key = `${source.hash} ${revision}`;
    const known = this.#texts.known(key);
    if (known !== undefined) return { ok: true, text: known, revision };
    // Read now: between two slices, another chart may replace this one.
    const [left, beginning] = [leftStatesOf(machine, store), preview?.text ?? store.chartText()];
    const text = await this.#texts.result(key, () => chartWriting(chart, snapshot, left, beginning));
    return { ok: true, text, revision };
  }
}
