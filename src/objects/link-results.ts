/** The query about a link, and its answer. Closed shapes, as in `results.ts`. */
import type { Count } from '../chart/chart.ts';
import type { VisitId } from '../commands.ts';

/**
 * What a report by a link would do. Without `visit`, for a link that is to be made: the present visit of the state. With it,
 * for one that was made: a machine that is not there was deleted since, and the query does not begin it again.
 */
export interface LinkQuery {
  readonly type: 'link';
  readonly state: string;
  readonly event: string;
  readonly by: string;
  readonly visit?: VisitId;
}

/** What a report by a link would do now. */
export interface LinkAnswer {
  readonly ok: true;
  readonly revision: number;
  /** The state's own name. */
  readonly state: string;
  readonly visit: VisitId;
  /** The active states now, and after the report, outermost first. */
  readonly states: readonly string[];
  readonly next: readonly string[];
  /** The counts that would count it. */
  readonly counts: readonly Count[];
  readonly isPaused: boolean;
  /** Whether the caller has reported in this visit already. */
  readonly isReported: boolean;
}
