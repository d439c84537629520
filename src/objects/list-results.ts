/** The list of a tenant's machines: what it is asked, what it is told, and its pages. They only ever gain optional fields. */
import type { Address } from '../address.ts';
import type { Grant } from '../grant.ts';
import type { Condition, ListCounts, Listing, Order } from '../listing.ts';

/** A query for machines of a tenant. */
export interface MachinesQuery {
  /** Only machines after this address. */
  readonly after?: Address;
  /** Only machines of this chart. */
  readonly chart?: string;
  /** Only machines whose address below the tenant has this in it, in any case of letters. */
  readonly text?: string;
  /** Only machines that this grant may read. */
  readonly grant?: Grant;
  readonly limit: number;
  /** Of the machine `after`: what the list is sorted by, as in `ListCursor`. */
  readonly value?: string | number;
  /** Absent for the order of the addresses. */
  readonly order?: Order;
  /** Only machines in this state, and of which this is true: as they have told, and those that have told nothing. */
  readonly state?: string;
  readonly is?: Condition;
}

/** What a machine tells its tenant. */
export interface Told {
  readonly address: Address;
  readonly listing: Listing;
}

/** Machines in the order of their addresses, and whether there are more. */
export interface MachinesPage {
  readonly addresses: readonly Address[];
  readonly more: boolean;
  /** Of the last machine: what the list is sorted by, as in `ListCursor`. */
  readonly value?: string | number;
  /** Of each machine: what it has told (`Listed.told`). As `counts` and `tag`, absent from objects of an earlier version. */
  readonly told?: readonly string[];
  /** Over all machines that may be read, whatever their states. */
  readonly counts?: ListCounts;
  /** Equal for equal pages. */
  readonly tag?: string;
  /**
   * Whether these are all machines of the text and the chart, whatever was asked of their states, in the order of the
   * addresses: they are so few that the reader asks them all.
   */
  readonly isWhole?: boolean;
}
