/** The queries for charts, and their answers. */
import type { ChartIssue, InputField } from '../chart/chart.ts';
import type { Upload, Uploaded } from '../commands.ts';
import type { ChartOrigin } from '../store/stored-machine.ts';

/** The definition of the chart with this hash, if the machine runs it. */
export interface DefinitionQuery {
  readonly type: 'definition';
  readonly hash: string;
}

/** The outcome that an upload would have now. */
export interface DryRunQuery {
  readonly type: 'dry-run';
  readonly upload: Upload;
  /** Whether the checked chart is asked for as well, to draw it. */
  readonly isDrawn?: true;
}

/** The checked chart, as JSON: `Definition`. */
export interface DefinitionText {
  readonly ok: true;
  readonly definition: string;
}

/** The chart that was uploaded to the address. */
export interface UploadedChart {
  readonly ok: true;
  readonly hash: string;
  readonly text: string;
}

/** A chart's text as `GET {machine}/chart` gives it. */
export interface WrittenChart {
  readonly ok: true;
  /** YAML. */
  readonly text: string;
  readonly revision: number;
}

/** The outcome that an upload would have. */
export interface Tried extends Uploaded {
  /** The checked chart, as JSON, where it was asked for; absent from objects of an earlier version. */
  readonly definition?: string;
}

/** The charts of an address as texts. At least one of the two is there. */
export interface Sources {
  readonly ok: true;
  /** 0 if the machine has not begun. */
  readonly revision: number;
  /** Whether the machine is in mid-sequence: then a chart is uploaded only with a reset. */
  readonly isUnderWay: boolean;
  /** The chart that the machine runs; absent if it has not begun. */
  readonly own?: {
    readonly hash: string;
    readonly origin: ChartOrigin;
    /** As `GET {machine}/chart` gives it. */
    readonly text: string;
    /** Of a sequence, without its present values. */
    readonly beginning: string;
  };
  /** The chart with which a reset or a new run begins; absent if the address has none any more. */
  readonly newest?: NewestChart;
}

/** The newest chart of an address. */
export interface NewestChart {
  readonly hash: string;
  readonly origin: ChartOrigin;
  readonly text: string;
  /** Empty if it can be run. */
  readonly errors: readonly ChartIssue[];
  readonly inputs: readonly InputField[];
  /** As JSON, if the machine has not begun and the chart can be run. */
  readonly definition?: string;
}
