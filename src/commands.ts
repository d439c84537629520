/**
 * Commands: requests to change a machine, as data. The only way in: routes, the binding, FleetLock and the tests make
 * them, the machine's object executes lists of them and answers with lists of outcomes.
 *
 * At each deploy an edge of one version calls objects of another. So commands and outcomes only ever gain types and
 * optional fields: an object answers a command that it does not know with `unsupported`, and ignores a field that it
 * does not know.
 */
import type { ChartIssue } from './chart/issue.ts';
import type { Count } from './chart/queries.ts';
import type { Inputs } from './chart/terms.ts';
import type { Refusal } from './refusal.ts';

/** A report: `event` is sent to `state`. */
export interface Update extends CommandFields {
  readonly type: 'update';
  readonly state: string;
  readonly event: string;
  /** The caller's name: a caller counts once per visit and event. */
  readonly by?: string;
  /** `Idempotency-Key`: a repeated request gets the first answer. */
  readonly key?: string;
  /** `If-Match`: the revisions at which the report is meant to count. */
  readonly revisions?: readonly number[];
  /** The report's data: JSON of at most `DATA_BYTES`. As text, because a recursive type cannot cross an RPC. */
  readonly data?: string;
  /** Set if the request had a body that is no data, and counts without it. */
  readonly isBodyLeftOut?: true;
}

/**
 * Tells one visit of a state from all others of the address: also from those before a reset, and from those of a machine
 * that was deleted.
 */
export interface VisitId {
  /** The revision at which the run of the machine began. */
  readonly started: number;
  /** The number of the visit in that run; 0 for the root. */
  readonly number: number;
  /** When the visit began, ms since the epoch. */
  readonly since: number;
}

/**
 * A report by a link: it counts in one visit of the state alone. A type of its own, because an older object would ignore a
 * field of an `update`, and count the report in any visit.
 */
export interface LinkedReport extends CommandFields {
  readonly type: 'link';
  readonly state: string;
  readonly event: string;
  readonly by: string;
  readonly visit: VisitId;
}

/** The options of a report. */
export type UpdateOptions = Pick<Update, 'by' | 'key' | 'revisions' | 'sub'>;

/**
 * Takes a slot of a state for `by`, or renews it if `by` holds one (`claim`); renews it only (`renew`); gives it back without a
 * report (`release`).
 */
export interface Claim extends CommandFields {
  readonly type: 'claim' | 'renew' | 'release';
  readonly state: string;
  readonly by: string;
}

/** FleetLock's `pre-reboot` (`lock`) and `steady-state` (`unlock`). `id` is the node; `group` is a state or `default`. */
export interface Lock extends CommandFields {
  readonly type: 'lock' | 'unlock';
  readonly group: string;
  readonly id: string;
}

/** Begins the machine if it has not begun. */
export interface Start extends CommandFields {
  readonly type: 'start';
  /** The values of the chart's inputs; the others have their defaults. */
  readonly inputs?: Inputs;
}

/** Gives a running machine other inputs. Timers that are set stay. */
export interface SetInputs extends CommandFields {
  readonly type: 'inputs';
  readonly inputs: Inputs;
  readonly by?: string;
  readonly revisions?: readonly number[];
}

/** Restarts the machine from its newest chart. */
export interface Reset extends CommandFields {
  readonly type: 'reset';
  readonly by?: string;
}

/** Puts a chart at the address. */
export interface Upload extends CommandFields {
  readonly type: 'upload';
  /** YAML. */
  readonly text: string;
  /** Whether to restart a machine in mid-sequence; if not, the upload is refused there. */
  readonly reset: boolean;
  readonly by?: string;
  readonly revisions?: readonly number[];
}

/** Replaces the machine's list of members. */
export interface SetMembers extends CommandFields {
  readonly type: 'members';
  /** JSON: `[[name, {label: value}], …]`; absent to take the list away. The edge has checked it. */
  readonly list?: string;
  readonly by?: string;
  readonly revisions?: readonly number[];
}

/** Strikes one member off the list. */
export interface StrikeMember extends CommandFields {
  readonly type: 'strike';
  readonly member: string;
  readonly by?: string;
  readonly revisions?: readonly number[];
}

/** Erases the machine. */
interface Erase extends CommandFields {
  readonly type: 'erase';
}

/** Pauses the machine, or gives its pause another reason and end. */
export interface Pause extends CommandFields {
  readonly type: 'pause';
  readonly by?: string;
  readonly reason?: string;
  /** When it resumes by itself, ms since the epoch. */
  readonly until?: number;
}

/** Ends a pause. */
export interface Resume extends CommandFields {
  readonly type: 'resume';
  readonly by?: string;
  readonly reason?: string;
}

/** Moves the machine by hand to a state. */
export interface Override extends CommandFields {
  readonly type: 'override';
  readonly to: string;
  readonly reason: string;
  readonly by?: string;
  readonly revisions?: readonly number[];
}

/** Sends the messages about an entry of the history again, or tries pending ones at once. */
export interface Resend extends CommandFields {
  readonly type: 'resend';
  /** The id of the entry. */
  readonly entry: number;
  /** To one hook only. */
  readonly to?: string;
  readonly by?: string;
}

/**
 * Puts the machine back to a moment. Its object restarts on the way and takes the call with it, so `restored` brings the
 * outcome.
 */
export interface Restore extends CommandFields {
  readonly type: 'restore';
  /** Names the restore; random. */
  readonly id: string;
  /** The moment, ms since the epoch. */
  readonly at: number;
  readonly by?: string;
}

/** Finishes a restore after the restart, if nothing has yet, and returns its outcome; idempotent. */
export interface Restored extends CommandFields {
  readonly type: 'restored';
  readonly id: string;
}

export type Command =
  | Update
  | LinkedReport
  | Claim
  | Lock
  | Start
  | SetInputs
  | Pause
  | Resume
  | Override
  | Resend
  | Reset
  | Upload
  | SetMembers
  | StrikeMember
  | Erase
  | Restore
  | Restored;

/** The outcome of a command. */
export type Outcome<C extends Command = Command> = Outcomes[C['type']] | Refusal;

interface Outcomes {
  readonly update: Accepted;
  readonly link: Linked;
  readonly claim: Claimed;
  readonly renew: Claimed;
  readonly release: Accepted;
  readonly lock: Accepted;
  readonly unlock: Accepted;
  readonly start: Started;
  readonly inputs: Accepted;
  readonly pause: Accepted;
  readonly resume: Accepted;
  readonly override: Accepted;
  readonly resend: Accepted;
  readonly reset: Accepted;
  readonly upload: Uploaded;
  readonly members: MembersChanged;
  readonly strike: MembersChanged;
  readonly erase: Accepted;
  readonly restore: Accepted;
  readonly restored: Accepted;
}

/** The command was executed, now or the first time that it was sent. */
export interface Accepted {
  readonly ok: true;
  /** The revision of the machine afterwards. */
  readonly revision: number;
}

/** A report by a link has counted, now or before. */
export interface Linked extends Accepted {
  /** Whether it had counted before. */
  readonly isRepeat: boolean;
  /** The active states afterwards, outermost first. */
  readonly states: readonly string[];
  /** The counts that have counted the report, of states that are still active. */
  readonly counts: readonly Count[];
}

/** The machine runs. */
export interface Started extends Accepted {
  /** Whether it began with this command; absent from objects of an earlier version. */
  readonly isNew?: boolean;
}

/** A slot is held. */
export interface Claimed extends Accepted {
  /** The state's own name. */
  readonly state: string;
  readonly by: string;
  /** The end of the lease, ms since the epoch. */
  readonly until: number;
  /** How long the lease lasts, ms; absent from objects of an earlier version. */
  readonly lease?: number;
}

/** A chart was put at the address. */
export interface Uploaded extends Accepted {
  /** Whether the machine began with this chart. */
  readonly created: boolean;
  readonly dialect: 'sequence' | 'statechart';
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  readonly warnings: readonly ChartIssue[];
}

/** The list of members was changed, or was so already. */
export interface MembersChanged extends Accepted {
  /** Members after the change; null without a list. */
  readonly total: number | null;
  readonly added: number;
  readonly removed: number;
  /** Members whose labels are others than before. */
  readonly relabelled: number;
}

/** What every command has. */
interface CommandFields {
  /** The subject of the token, if the request had one. */
  readonly sub?: string;
}
