/**
 * Commands: requests to change a machine, as data. The only way in: routes, the binding, FleetLock and the tests make
 * them, the machine's object executes lists of them and answers with lists of outcomes.
 *
 * At each deploy an edge of one version calls objects of another. So commands and outcomes only ever gain types and
 * optional fields: an object answers a command that it does not know with `unsupported`, and ignores a field that it
 * does not know.
 */
import type { ChartIssue } from './chart/issue.ts';
import type { Refusal } from './refusal.ts';

/** On whose behalf a command is executed. */
interface Behalf {
  /** The subject of the token, where one was asked for. */
  readonly sub?: string;
}

/** A report: `event` is sent to `state`. */
export interface Update extends Behalf {
  readonly type: 'update';
  readonly state: string;
  readonly event: string;
  /** The caller's name: a caller counts once per visit and event. */
  readonly by?: string;
  /** `Idempotency-Key`: a repeated request gets the first answer. */
  readonly key?: string;
  /** `If-Match`: the revisions at which the report is meant to count. */
  readonly revisions?: readonly number[];
}

/** What may be said beside a report. */
export type UpdateOptions = Pick<Update, 'by' | 'key' | 'revisions' | 'sub'>;

/** Takes a slot of a state for `by`, renews it, or (`release`) gives it back without a report. */
export interface Claim extends Behalf {
  readonly type: 'claim' | 'release';
  readonly state: string;
  readonly by: string;
}

/** FleetLock's `pre-reboot` (`lock`) and `steady-state` (`unlock`): `id` is the node, `group` a state or `default`. */
export interface Lock extends Behalf {
  readonly type: 'lock' | 'unlock';
  readonly group: string;
  readonly id: string;
}

/** Begins the machine if it has not begun. A chart's own machine begins with its first request. */
interface Start extends Behalf {
  readonly type: 'start';
}

/** Starts over from the newest chart. */
export interface Reset extends Behalf {
  readonly type: 'reset';
  readonly by?: string;
}

/** Puts a chart at the address. */
export interface Upload extends Behalf {
  readonly type: 'upload';
  /** YAML. */
  readonly text: string;
  /** Whether a machine in mid-sequence starts over; without it the upload is refused there. */
  readonly reset: boolean;
  readonly by?: string;
  readonly revisions?: readonly number[];
}

/** Erases the machine. */
interface Erase extends Behalf {
  readonly type: 'erase';
}

export type Command = Update | Claim | Lock | Start | Reset | Upload | Erase;

/** The outcome of a command. */
export type Outcome<C extends Command = Command> = Outcomes[C['type']] | Refusal;

interface Outcomes {
  readonly update: Accepted;
  readonly claim: Claimed;
  readonly release: Accepted;
  readonly lock: Accepted;
  readonly unlock: Accepted;
  readonly start: Accepted;
  readonly reset: Accepted;
  readonly upload: Uploaded;
  readonly erase: Accepted;
}

/** The command was executed, now or when it came the first time. */
export interface Accepted {
  readonly ok: true;
  /** Of the machine afterwards. */
  readonly revision: number;
}

/** A slot is held. */
export interface Claimed extends Accepted {
  /** The state's own name. */
  readonly state: string;
  readonly by: string;
  /** The end of the lease, ms since the epoch. */
  readonly until: number;
}

/** A chart was put at the address. */
export interface Uploaded extends Accepted {
  /** Whether the machine was not there before. */
  readonly created: boolean;
  readonly dialect: 'sequence' | 'statechart';
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly warnings: readonly ChartIssue[];
}
