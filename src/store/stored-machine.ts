/** What is read and written of a machine, as values. */
import type {
  Claim,
  CoolingSlot,
  Definition,
  Inputs,
  LeftState,
  Members,
  Pause,
  StateNumber,
  StoredSnapshot,
  Timer,
} from '../chart/chart.ts';
import type { HistoryEntry } from './history-table.ts';
import type { Receipt } from './receipt-table.ts';

/** A machine as it is stored, without its timers and claims. */
export interface StoredMachine {
  /** Committed changes so far. */
  readonly revision: number;
  /** The revision at which the present run began. */
  readonly started: number;
  /** When it began, ms since the epoch. */
  readonly startedAt: number;
  /** History entries written so far; the newest has this number. */
  readonly entries: number;
  /** When the last change was committed, ms since the epoch. */
  readonly changedAt: number;
  readonly snapshot: StoredSnapshot;
  readonly chart: Omit<StoredChart, 'text'>;
}

/** Where a chart's text came from. */
export const CHART_ORIGINS = ['upload', 'binding', 'bundle'] as const;
export type ChartOrigin = (typeof CHART_ORIGINS)[number];

/** The chart that a machine runs. The machine keeps all of it, so it wakes without another object. */
export interface StoredChart {
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly origin: ChartOrigin;
  readonly text: string;
  /** The checked chart: waking compiles it, and reads no YAML. */
  readonly definition: Definition;
}

/** A state's last ended visit, and when it ended (ms since the epoch). */
export type EndedVisit = LeftState & { readonly at: number };

/** A machine's list of members. */
export interface StoredMembers {
  /**
   * The revision of the machine after the list was changed; before it has begun, the moment of the change, ms since the
   * epoch. Tells the lists of an address apart.
   */
  readonly revision: number;
  readonly members: Members;
}

/** What one turn has changed. */
export interface Changes {
  readonly revision: number;
  /** History entries written so far, these included. */
  readonly entries: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly snapshot: StoredSnapshot;
  readonly timersSet: readonly Timer[];
  readonly timersCleared: readonly number[];
  /** Set where another run has begun: rows about the states of the run before are dropped. */
  readonly restarted?: {
    readonly started: number;
    /** ms since the epoch. */
    readonly startedAt: number;
    readonly chart: StoredChart;
  };
  /** The pause of the run; null where it has ended. */
  readonly paused?: Pause | null;
  /** The inputs of the run; empty if its chart has none. */
  readonly inputs?: Inputs;
  /** Set where the machine was restored: the entries that it then had. The ids after them, up to `history`, are left out. */
  readonly renumbered?: { readonly entries: number };
  /** The chart that was uploaded to the address. */
  readonly uploaded?: Pick<StoredChart, 'hash' | 'text'>;
  readonly left: readonly EndedVisit[];
  /** States of which all claims are dropped, before `claimsSet`. */
  readonly freed: readonly StateNumber[];
  /** Slots whose cooldown begins, and states of which all cooldowns are dropped before. */
  readonly cooling?: { readonly set: readonly CoolingSlot[]; readonly dropped: readonly StateNumber[] };
  readonly claimsSet: readonly Claim[];
  readonly claimsCleared: readonly Claim[];
  /** The machine's list of members; null where it was taken away; absent where it is unchanged. */
  readonly members?: StoredMembers | null;
  readonly receipts: readonly Receipt[];
  readonly history: readonly HistoryEntry[];
}
