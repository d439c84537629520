/** What is seen of a world: what its clients asked and were told, and what has become durable. */
import type { Command, Outcome } from '../../src/commands.ts';
import type { Answer, Query } from '../../src/objects/results.ts';
import type { Home } from './homes.ts';
import type { Chronicle, JournalEntry } from './journal.ts';
import type { Action, Plan } from './plan.ts';
import type { SimulatedChart } from './simulated-charts.ts';

/** One call of a client. */
export interface Call {
  readonly action: Action;
  /** Of the repeats of an action: which. */
  readonly attempt: number;
  /** The command or the query; undefined until the client has chosen it. */
  asked: Command | Query | undefined;
  /** Simulated ms. */
  readonly called: number;
  returned?: number;
  answer?: Outcome | Answer;
  /** The client has left: it does not hear the answer. */
  left?: true;
  /** Which machine the address had when it was called, and when it was answered (`Chronicle.life`). */
  readonly from: number;
  to?: number;
}

/** A message that a hook was told. */
export interface Told {
  /** The path of the machine. */
  readonly path: string;
  /** The id of the entry. */
  readonly id: number;
}

/** A world after its end. */
export interface Observed {
  /** Whether the bounds are so small that receipts are dropped while they matter: then a repeat may count again. */
  readonly isTight: boolean;
  readonly plan: Plan;
  /** When it began, ms since the epoch. */
  readonly epoch: number;
  /** When it ended, simulated ms. */
  readonly now: number;
  readonly charts: Iterable<SimulatedChart>;
  readonly chronicles: ReadonlyMap<string, Chronicle>;
  readonly calls: readonly Call[];
  readonly told: readonly Told[];
  readonly homes: Iterable<Home>;
  /** The machines that the registry of the tenant has: their paths, and the active states that its list shows. */
  readonly listed: ReadonlyMap<string, readonly string[]>;
}

/** Says what is wrong, and shows where. */
export type Say = (what: string, ...where: readonly (Call | JournalEntry)[]) => void;
