import { type Address, formatAddress } from '../address.ts';
import {
  type Chart,
  type ChartIssue,
  chartReading,
  type Definition,
  type Members,
  openChart,
} from '../chart/chart.ts';
import type { Reset, Upload } from '../commands.ts';
import { LruCache } from '../lru-cache.ts';
import type { Refusal } from '../refusal.ts';
import type { Sliced } from '../sliced.ts';
import { roomFor, SharedWork } from '../slices.ts';
import type { MachineStore, StoredChart } from '../store/machine-store.ts';
import { readMembers } from '../store/members-table.ts';
import { lengthOf, UNITS_OF_CHARACTER } from './answer-length.ts';
import { type CatalogBindings, type ChartText, findChart, hashOf } from './catalog.ts';
import type { UploadedChart } from './chart-results.ts';
import type { MachineState } from './machine-state.ts';
import type { OutboxBindings } from './outbox.ts';
import { prepareMembers } from './prepared-members.ts';
import { invalidChart, noChart, uploadToRun } from './refusals.ts';
import type { Answer } from './results.ts';
import { machineNamed, type ObjectBindings } from './stubs.ts';

/**
 * How long an object keeps what it found as the newest chart of its address, in ms: `newer` in the status is that late.
 * An open page requests the status every few seconds, and each look-up is a request to the assets or to another object.
 */
export const NEWEST_FOR = 5_000;

/** The bindings that an object needs: charts, the objects of other machines, and hooks. */
export interface MachineEnv extends CatalogBindings, ObjectBindings, OutboxBindings {}

/** The units of beginning a machine, or of showing one that has not begun, with its object: some 4 ms. */
const BEGINNING = 250;

/** A chart that was read, and its stored form. */
export interface ReadChart {
  readonly ok: true;
  readonly chart: Chart;
  readonly source: StoredChart;
  readonly warnings: readonly ChartIssue[];
  /** With which the machine begins: of a run, those of its chart; of a chart, those that were uploaded before. */
  readonly members?: Members;
}

/** Finds the chart that a machine is to run. It is the only part of a command that needs other objects or bindings. */
export class ChartSource {
  readonly #env: MachineEnv;
  readonly #store: MachineStore;
  readonly #address: Address;
  /** The last chart that was read for a machine that has not begun. Kept: such a machine may be queried often. */
  #toBegin: { readonly text: string; readonly read: ReadChart | Refusal } | undefined;
  /** The hash of the newest chart as it was last looked up, and when, ms since the epoch. */
  #lastNewest: { readonly hash: string | undefined; readonly at: number } | undefined;

  /** The members of a run's chart as they were last read, and the revision of the list; 0 for none. */
  #ofBase: { readonly revision: number; readonly members?: Members } = { revision: 0 };

  constructor(env: MachineEnv, store: MachineStore, address: Address) {
    this.#env = env;
    this.#store = store;
    this.#address = address;
  }

  /**
   * Finds the newest chart for the address: the one uploaded to the address (of a run: to its base address), else a
   * bound one. The machine may run an older one.
   *
   * @param isBeginning whether the members of a run's chart are read with it.
   */
  async newest(isBeginning = false): Promise<ChartText | undefined> {
    const at = Date.now();
    const found = await this.#look(isBeginning);
    this.#lastNewest = { hash: found?.hash, at };
    return found;
  }

  /**
   * The hash of the newest chart, which may be `NEWEST_FOR` late; of a chart uploaded to this address, never. Later where
   * the folder or the machine of the chart cannot be read: a machine that runs is shown all the same.
   */
  async newestHash(): Promise<string | undefined> {
    const uploaded = this.#address.run === undefined ? this.#store.upload() : undefined;
    if (uploaded !== undefined) return uploaded.hash;
    const last = this.#lastNewest;
    const age = last && Date.now() - last.at;
    // A clock that was set back makes the age negative.
    if (age !== undefined && age >= 0 && age < NEWEST_FOR) return last?.hash;
    try {
      return (await this.newest())?.hash;
    } catch (error) {
      console.error('looking for a newer chart failed', error);
      this.#lastNewest = { hash: last?.hash, at: Date.now() };
      return last?.hash;
    }
  }

  async #look(isBeginning: boolean): Promise<ChartText | undefined> {
    const uploaded =
      this.#address.run === undefined ? this.#store.upload() : await this.#uploadedToBase(isBeginning);
    if (uploaded !== undefined) return { hash: uploaded.hash, text: uploaded.text, origin: 'upload' };
    return findChart(this.#env, this.#address);
  }

  /** Reads the chart with which the machine begins. */
  async toBegin(): Promise<ReadChart | Refusal> {
    await roomFor(BEGINNING);
    const found = await this.newest(true);
    if (found === undefined) return noChart(this.#address);
    const { text } = found;
    const read = this.#toBegin?.text === text ? this.#toBegin.read : await this.readText(found);
    this.#toBegin = { text, read };
    return this.#withMembers(read);
  }

  /** Adds the members with which a machine begins. */
  async #withMembers(read: ReadChart | Refusal): Promise<ReadChart | Refusal> {
    const { members } = (this.#address.run === undefined ? this.#store.members.read() : this.#ofBase) ?? {};
    if (!read.ok || members === undefined) return read;
    await prepareMembers(read.chart, members);
    return { ...read, members };
  }

  /**
   * Reads the chart that the machine runs after a `reset` or an `upload`.
   *
   * @param machine the present machine; undefined if it has not begun.
   */
  async next(command: Reset | Upload, machine: MachineState | undefined): Promise<ReadChart | Refusal> {
    if (command.type === 'upload') {
      if (this.#address.run !== undefined) return uploadToRun(this.#address);
      const { text } = command;
      return this.#withMembers(await this.readText({ text, origin: 'upload', hash: await hashOf(text) }));
    }
    const newest = await this.newest();
    if (newest !== undefined) return this.readText(newest);
    if (machine === undefined) return noChart(this.#address);
    // The address has no chart any more: the machine keeps its own.
    const { chart, source } = machine;
    const own = { ...source, text: this.#store.chartText(), definition: chart.definition };
    return { ok: true, chart, source: own, warnings: [] };
  }

  /** Returns the definition of the chart with this hash, as JSON: the machine's, or that of a run that has not begun. */
  definition(hash: string): string | undefined {
    if (this.#store.version() !== undefined) return this.#store.definition(hash);
    const read = this.#toBegin?.read;
    return read?.ok && read.source.hash === hash ? JSON.stringify(read.source.definition) : undefined;
  }

  /** Reads a chart's text. @returns a refusal with every error if it is not valid. */
  async readText(found: ChartText): Promise<ReadChart | Refusal> {
    const reading = await readOnce(found.text);
    if (!reading.ok) return invalidChart(this.#address, reading.errors);
    const { definition, warnings } = reading;
    return { ok: true, chart: openChart(definition), source: { ...found, definition }, warnings };
  }

  /** Reads the chart that was uploaded to a run's base address, and its members where the run is about to begin. */
  async #uploadedToBase(isBeginning: boolean): Promise<UploadedChart | undefined> {
    const { run: _, ...base } = this.#address;
    const list = { type: 'member-list', known: this.#ofBase.revision } as const;
    const queries = [{ type: 'uploaded' } as const, ...(isBeginning ? [list] : [])];
    const [answer, members] = await machineNamed(this.#env, formatAddress(base)).read(queries);
    if (members !== undefined) {
      await roomFor(lengthOf(members) * UNITS_OF_CHARACTER);
      this.#noteMembers(members);
    }
    if (answer?.ok && 'hash' in answer && 'text' in answer) return answer;
    if (answer?.ok === false && answer.code === 'no-chart') return undefined;
    throw new Error(
      `the base address's machine did not return its uploaded chart: ${JSON.stringify(answer)}`,
    );
  }

  /** Notes the members of a run's chart. An object of an earlier version has none. */
  #noteMembers(answer: Answer): void {
    if (answer.ok && 'listRevision' in answer) {
      const { listRevision: revision, list } = answer;
      if (list !== undefined) this.#ofBase = { revision, members: readMembers(list) };
      else if (revision === 0) this.#ofBase = { revision };
    } else if (answer.ok || answer.code !== 'unsupported') {
      throw new Error(`the base address's machine did not return its members: ${JSON.stringify(answer)}`);
    }
  }
}

/** The result of reading a chart's text: the checked chart as data, or its errors. */
type Checked =
  | { readonly ok: true; readonly definition: Definition; readonly warnings: readonly ChartIssue[] }
  | { readonly ok: false; readonly errors: readonly ChartIssue[] };

/** Charts that an isolate keeps as they were read: some 1 MB each for the largest. */
const CHARTS_READ = 16;

/**
 * The results of reading, by the text. Shared by the objects of an isolate. Not by the hash: an uploaded sequence
 * keeps the hash of what was sent, and its text is that of its beginning.
 */
const work = new SharedWork(new LruCache<string, Checked>(CHARTS_READ));

/**
 * Reads a chart in slices, or finds the result of an earlier reading. A chart of 1,000 states takes 150 ms to read and 1 ms
 * to open, and each query for another run that has not begun is for an object that has not read it.
 */
function readOnce(text: string): Promise<Checked> {
  return work.result(text, () => check(text));
}

/** The units of a machine's start for a character of its chart: it follows the reading in the same slice. */
const STARTING = 1 / 40;

function* check(text: string): Sliced<Checked> {
  const reading = yield* chartReading(text);
  yield text.length * STARTING;
  if (!reading.ok) return { ok: false, errors: reading.errors };
  return { ok: true, definition: reading.chart.definition, warnings: reading.warnings };
}
