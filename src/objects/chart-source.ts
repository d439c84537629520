/** Which chart a machine is to run by: what was uploaded, what is bound, or what it has. */
import type { Address } from '../address.ts';
import { type Chart, readChart } from '../chart/chart.ts';
import type { Refusal } from '../refusal.ts';
import type { MachineStore, StoredChart } from '../store/machine-store.ts';
import { type CatalogBindings, type ChartText, findChart } from './catalog.ts';
import type { RunningMachine } from './machine-state.ts';
import { invalidChart } from './refusals.ts';
import { machineAt, type ObjectBindings } from './stubs.ts';

/** Where an object finds charts: the service's bindings, and the objects of other machines. */
export interface MachineEnv extends CatalogBindings, ObjectBindings {}

/** A chart that was read, and what is stored of it. */
export interface ReadChart {
  readonly chart: Chart;
  readonly source: StoredChart;
}

/** The newest chart for an address: one uploaded to it (or, for a run, to its chart), else a bound one. */
export async function newestChart(
  env: MachineEnv,
  store: MachineStore,
  address: Address,
): Promise<ChartText | undefined> {
  const { run, ...base } = address;
  const uploaded = run === undefined ? store.upload() : await machineAt(env, base).uploaded();
  if (uploaded !== undefined) return { hash: uploaded.hash, text: uploaded.text, origin: 'upload' };
  return findChart(env, address);
}

export function readFound(address: Address, found: ChartText): ReadChart | Refusal {
  const reading = readChart(found.text);
  if (!reading.ok) return invalidChart(address, reading.errors);
  return { chart: reading.chart, source: { ...found, definition: reading.chart.definition } };
}

/** The chart that a machine runs by, for where its address has none any more. */
export function ownChart({ chart, source }: RunningMachine, store: MachineStore): ReadChart {
  return { chart, source: { ...source, text: store.chartText(), definition: chart.definition } };
}
