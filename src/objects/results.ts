/** What a machine's object answers, beside refusals and what `turn.ts` has. Closed shapes: they cross an RPC. */
import type { ChartIssue, Count, StateNumber } from '../chart/chart.ts';
import type { HistoryEntry } from '../store/history-table.ts';

/** A chart's text as `GET {machine}/chart` gives it. */
export interface WrittenChart {
  readonly ok: true;
  /** YAML. */
  readonly text: string;
  readonly revision: number;
}

/** A stretch of history, newest first. */
export interface HistoryPage {
  readonly ok: true;
  readonly entries: readonly HistoryEntry[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
  readonly revision: number;
}

/** The status document. As text, for a type that holds itself (JSON, a state's value) cannot cross an RPC. */
export type StatusAnswer =
  | {
      readonly ok: true;
      readonly unchanged: false;
      /** JSON: `Status`. */
      readonly status: string;
      readonly revision: number;
    }
  /** The caller has it already. */
  | { readonly ok: true; readonly unchanged: true; readonly revision: number };

/** What a list of machines says of each. */
export interface Summary {
  readonly dialect: 'sequence' | 'statechart';
  /** The active states, outermost first. */
  readonly states: readonly string[];
  readonly status: 'active' | 'done';
  /** The tags of the active states; not said by objects of an earlier version. */
  readonly tags?: readonly string[];
  /** Counts that are not complete, or have passed their target. */
  readonly waiting: readonly Count[];
  readonly revision: number;
  /** When the last change took effect, ms since the epoch. */
  readonly changedAt: number;
}

/** What is drawn and shown of a machine: everything but its chart, which is asked for once by its hash. */
export interface View {
  readonly ok: true;
  readonly revision: number;
  /** JSON: `Status`. */
  readonly status: string;
  /** Of the chart that it runs by. */
  readonly hash: string;
  readonly active: readonly StateNumber[];
  /** States that were entered and left. */
  readonly visited: readonly StateNumber[];
  readonly counts: readonly {
    readonly state: StateNumber;
    readonly event: string;
    readonly have: number;
    readonly until: number;
  }[];
  /** Timers that are set: what they send, and when (ms since the epoch). */
  readonly due: readonly { readonly event: string; readonly at: number }[];
  /** Events that the active states take, the innermost state that takes each. */
  readonly takes: readonly {
    readonly state: string;
    readonly events: readonly string[];
    /** Of these, the events that may lead to a final state; not said by objects of an earlier version. */
    readonly ends?: readonly string[];
    /** Of these, the events that need a slot of `slots`; not said by objects of an earlier version. */
    readonly counted?: readonly string[];
    readonly slots?: readonly string[];
  }[];
  /** The newest entries of the history, the newest first. */
  readonly history: readonly HistoryEntry[];
}

/** What may be said beside a chart that is uploaded. */
export interface UploadOptions {
  /** Whether a machine in mid-sequence is to start over; without it that is refused. */
  readonly reset: boolean;
  readonly by?: string;
  /** `If-Match`: revisions at which it is meant. */
  readonly revisions?: readonly number[];
  /** Whose token it is. */
  readonly sub?: string;
}

/** What came of an upload. */
export interface Uploaded {
  readonly ok: true;
  /** Whether the machine was not there before. */
  readonly created: boolean;
  readonly dialect: 'sequence' | 'statechart';
  readonly hash: string;
  readonly warnings: readonly ChartIssue[];
  readonly revision: number;
}

/** Something was done to the machine as a whole. */
export interface Done {
  readonly ok: true;
  readonly revision: number;
}
