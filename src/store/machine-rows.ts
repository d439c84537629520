/** The rows of a machine's tables, and what parses them. */
import { RowParser } from './row-parser.ts';

/** The one row of the machine. */
export type MachineRow = {
  revision: number;
  started: number;
  /** ms since the epoch. */
  started_at: number;
  entries: number;
  /** ms since the epoch. */
  changed_at: number;
  /** JSON: `StoredSnapshot`. */
  snapshot: string;
  /** JSON: `StoredCounts`. */
  counts: string;
};

/** The one row of the chart that the machine runs. */
export type ChartRow = {
  /** SHA-256 of the text, hexadecimal. */
  hash: string;
  /** A `ChartOrigin`. */
  origin: string;
  text: string;
  /** JSON: `Definition`. */
  definition: string;
};

/** The one row, if any, of the chart that was uploaded to the address. */
export type UploadRow = Pick<ChartRow, 'hash' | 'text'>;

export type TimerRow = {
  /** Unique in a run. */
  id: number;
  /** Cancels the timer. */
  label: string;
  /** Due, ms since the epoch. */
  at: number;
  event: string;
};

/** An `EndedVisit`. */
export type VisitedRow = {
  state: number;
  visit: number;
  /** ms since the epoch. */
  left_at: number;
};

/** A `Claim`. */
export type ClaimRow = {
  state: number;
  caller: string;
  /** ms since the epoch. */
  since: number;
  /** ms since the epoch. */
  until: number;
};

/** The one row, if any, of the inputs of the run. */
export type InputsRow = {
  /** JSON: `Inputs`. */
  inputs: string;
};

/** The one row, if any, of the pause of the run. */
export type PauseRow = {
  /** JSON: `Pause`. */
  pause: string;
};

/** A `CoolingSlot`. */
export type CoolingRow = {
  state: number;
  slot: number;
  /** ms since the epoch. */
  until: number;
};

export const MACHINE = new RowParser<MachineRow>('machine');
export const CHART = new RowParser<ChartRow>('chart');
export const UPLOAD = new RowParser<UploadRow>('upload');
export const TIMER = new RowParser<TimerRow>('timer', 'id');
export const VISITED = new RowParser<VisitedRow>('visited', 'state');
export const CLAIM = new RowParser<ClaimRow>('claim', 'state', 'caller');
export const INPUTS = new RowParser<InputsRow>('inputs');
export const PAUSE = new RowParser<PauseRow>('pause');
export const COOLING = new RowParser<CoolingRow>('cooling', 'state', 'slot');
