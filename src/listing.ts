/** The list of a tenant's machines: what each machine tells its tenant, and how the list is filtered, sorted and counted. */

/** What a machine has told its tenant: what its list is filtered, counted and sorted by. */
export interface Listing {
  /** The machine's revision when it told this. */
  readonly revision: number;
  /** The active states, outermost first. */
  readonly states: readonly string[];
  /** When the newest of them was entered, ms since the epoch. */
  readonly since: number;
  readonly outcome: 'active' | 'done' | 'failed';
  readonly isPaused: boolean;
  /** The next timer after which the machine can end only in failure, and when it is late; ms since the epoch. */
  readonly deadline: { readonly at: number; readonly lateAt: number } | null;
}

/** What a list is sorted by: `changed` is when the states have changed. */
export const SORTS = ['address', 'changed', 'state', 'deadline'] as const;
export type Sort = (typeof SORTS)[number];

/** What can be true of a machine, the most urgent first. */
export const CONDITIONS = ['late', 'failed', 'paused', 'active', 'done'] as const;
export type Condition = (typeof CONDITIONS)[number];

/** How many of a tenant's machines need a look. */
export interface ListCounts {
  readonly machines: number;
  readonly late: number;
  readonly failed: number;
  readonly paused: number;
}

/** A list's order: by the addresses, or by what the machines have told. Machines that have nothing to compare come last. */
export interface Order {
  readonly sort: Sort;
  readonly isDescending: boolean;
}

/** Where a page of a list has ended. */
export interface ListCursor {
  readonly chart: string;
  /** Empty for the chart's own machine. */
  readonly run: string;
  /** What the list is sorted by; absent if it is the address, and for a machine that has nothing to compare. */
  readonly value?: string | number;
}
