/**
 * Queries: requests that read a machine, as data, and their answers. Like commands, queries and answers only ever gain
 * types and optional fields.
 *
 * Closed shapes, because they cross an RPC: an `unknown` field would delete the type of the whole answer.
 */
import type { Count, Deadline, Labels } from '../chart/chart.ts';
import type { MemberFact } from '../member-list.ts';
import type { Refusal } from '../refusal.ts';
import type { HistoryFilter } from '../store/history-filter.ts';
import type { HistoryEntry } from '../store/history-table.ts';
import type { Notification, Told } from '../store/outbox-table.ts';
import type { KeptReport } from '../store/receipt-table.ts';
import type { Restoration } from '../store/restoration.ts';
import type {
  DefinitionQuery,
  DefinitionText,
  DryRunQuery,
  Sources,
  Tried,
  UploadedChart,
  WrittenChart,
} from './chart-results.ts';
import type { Metrics } from './counters.ts';
import type { HookStatus } from './hook-status.ts';
import type { LinkAnswer, LinkQuery } from './link-results.ts';
import type { View } from './view-data.ts';

/**
 * A wait that goes on: the revision at which its request was told "not yet". A machine that is not there was deleted
 * since, and the query does not begin it again.
 */
interface GoingOn {
  readonly since?: number;
}

/**
 * Is `state` current? For a caller, `by`: may it go? With `wait` (ms), the answer comes as soon as it is so, or never can
 * be. With `since` and no `by`, a state that was entered after that revision was current, perhaps only briefly.
 */
export interface IsQuery extends GoingOn {
  readonly type: 'is';
  readonly state: string;
  readonly by?: string;
  readonly wait?: number;
}

/**
 * The id of the last entry that the caller has, from 1. A machine that has no entries was deleted since, and the query
 * does not begin it again.
 */
interface Resuming {
  readonly after?: number;
}

/** The status document. With `wait` (ms), the answer comes as soon as the revision is none of `known`. */
export interface StatusQuery extends Resuming, GoingOn {
  readonly type: 'status';
  readonly known?: readonly number[];
  readonly wait?: number;
}

/** The data of the page. */
export interface ViewQuery extends Resuming {
  readonly type: 'view';
}

/** At most `limit` entries of the history with ids below `before`, newest first. */
export interface HistoryQuery {
  readonly type: 'history';
  readonly before: number;
  readonly limit: number;
  /** Absent for all entries. */
  readonly filter?: HistoryFilter;
}

/**
 * Who has reported in the present visit of a state, or in its last one if it was left: at most `limit` reports, the oldest
 * first, after the one at which a page before has ended (`after` of its answer).
 */
export interface ReportsQuery {
  readonly type: 'reports';
  readonly state: string;
  readonly after?: number;
  readonly limit: number;
}

/**
 * Every change as it happens, as server-sent events.
 *
 * Without `after`, the stream has only new entries. `until` is the end of the watcher's token, ms since the epoch.
 */
export interface WatchQuery extends Resuming {
  readonly type: 'watch';
  readonly until?: number;
}

/** The list of members of a run's chart, unless it is the one of the revision that the run's machine knows. */
interface MemberListQuery {
  readonly type: 'member-list';
  /** 0 for no list. */
  readonly known: number;
}

/** The members, in the order of their names, after the one at which a page before has ended. */
export interface MembersQuery {
  readonly type: 'members';
  readonly is?: MemberFact;
  readonly after?: string;
  /** Absent for all. */
  readonly limit?: number;
  /** Whether the names alone are asked for, as text. */
  readonly namesOnly?: true;
}

/** The hooks, and at most `limit` messages about entries with ids below `before`, the newest entry first. */
export interface NotificationsQuery {
  readonly type: 'notifications';
  readonly before: number;
  readonly limit: number;
  /** Whether the answer has what each message tells. An object of an earlier version leaves that out. */
  readonly isTold?: true;
}

/** Queries without parameters. */
interface PlainQuery {
  readonly type: 'chart' | 'sources' | 'metrics' | 'summary' | 'uploaded';
}

export type Query =
  | IsQuery
  | StatusQuery
  | ViewQuery
  | DefinitionQuery
  | HistoryQuery
  | ReportsQuery
  | MembersQuery
  | MemberListQuery
  | NotificationsQuery
  | WatchQuery
  | DryRunQuery
  | LinkQuery
  | PlainQuery;

/** The answer to a query. */
export type Answer<Q extends Query = Query> = Answers[Q['type']] | Refusal;

interface Answers {
  readonly is: Current;
  readonly status: StatusAnswer;
  readonly view: View;
  readonly definition: DefinitionText;
  readonly chart: WrittenChart;
  readonly sources: Sources;
  readonly history: HistoryPage;
  readonly reports: ReportsPage;
  readonly members: MachineMembers;
  readonly 'member-list': MemberListAnswer;
  readonly notifications: NotificationsPage;
  readonly watch: EventStreamAnswer;
  readonly link: LinkAnswer;
  readonly metrics: Metrics;
  readonly summary: Summary;
  readonly uploaded: UploadedChart;
  readonly 'dry-run': Tried;
}

/** The state is current. */
export interface Current {
  readonly ok: true;
  readonly revision: number;
}

export interface EventStreamAnswer {
  readonly ok: true;
  readonly events: ReadableStream<Uint8Array>;
}

/** A page of the history, newest first. */
export interface HistoryPage {
  readonly ok: true;
  readonly entries: readonly HistoryEntry[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
  readonly revision: number;
}

/** A page of the reports of one visit of a state, the oldest first. */
export interface ReportsPage {
  readonly ok: true;
  /** The state's own name. */
  readonly state: string;
  readonly reports: readonly KeptReport[];
  /** Whether there are later ones. */
  readonly hasMore: boolean;
  readonly revision: number;
}

/** A list of members as a run's machine reads it. */
export interface MemberListAnswer {
  readonly ok: true;
  /** `StoredMembers.revision`; 0 for no list. */
  readonly listRevision: number;
  /** JSON: `[[name, {label: value}], …]`; absent if there is none, or if it is known. */
  readonly list?: string;
}

/** A page of the members. */
export interface MachineMembers {
  readonly ok: true;
  /** The members of the machine; null without a list. */
  readonly total: number | null;
  /** Empty where the query asks for names. */
  readonly members: readonly MemberStatus[];
  /** One name a line. */
  readonly names?: string;
  /** Whether there are more. */
  readonly hasMore: boolean;
  readonly revision: number;
}

/** A message to a hook. */
export interface ToldNotification extends Notification {
  /** What it tells, if that was asked for. */
  readonly told?: Told | undefined;
}

/** A page of the messages to hooks, the newest entry first. */
export interface NotificationsPage {
  readonly ok: true;
  /** The hooks that the chart names, and those that have messages. */
  readonly hooks: readonly HookStatus[];
  readonly notifications: readonly ToldNotification[];
  /** Whether there are older ones. A page has all messages about an entry. */
  readonly hasMore: boolean;
  readonly revision: number;
}

/** A member, and what it is to the present states. */
export interface MemberStatus {
  readonly name: string;
  readonly labels: Labels;
  /** The active states that expect its report. */
  readonly expected: readonly string[];
  /** The active states of which it holds a slot. */
  readonly working: readonly string[];
  /** The active states to which it has reported in their present visit. */
  readonly reported: readonly string[];
  /** The states that expect its report and have not got it. */
  readonly missing: readonly string[];
}

/** The status document. As text, because a recursive type (JSON, a state's value) cannot cross an RPC. */
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

/** A machine's entry in a list. */
export interface Summary {
  readonly ok: true;
  readonly dialect: 'sequence' | 'statechart';
  /** The active states, outermost first. */
  readonly states: readonly string[];
  readonly status: 'active' | 'done';
  /** The tags of the active states; absent from objects of an earlier version. */
  readonly tags?: readonly string[];
  /** Counts that are not complete, or have passed their target. */
  readonly waiting: readonly Count[];
  readonly revision: number;
  /** When the last change took effect, ms since the epoch. */
  readonly changedAt: number;
  /** As `deadline`, absent from objects of an earlier version. */
  readonly isPaused?: boolean;
  /** The next timer after which the machine can end only in failure; absent if there is none. */
  readonly deadline?: Deadline;
  /** When the newest of the active states was entered, ms since the epoch; absent from objects of an earlier version. */
  readonly since?: number;
}

/** A machine is in the registry of its tenant. */
export interface Entered {
  readonly ok: true;
  /** The last revision of the machine that was deleted at its address; 0 where there was none. */
  readonly revision: number;
}

/** A restore is noted in the registry of the tenant. */
export interface Noted {
  readonly ok: true;
  readonly note: Restoration;
}
