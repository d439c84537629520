/** The commands and queries of the runs, and their answers. */
import type { Inputs } from '../../src/chart/chart.ts';
import type {
  Claim,
  Override,
  Resume,
  SetInputs,
  SetMembers,
  Start,
  StrikeMember,
  Update,
} from '../../src/commands.ts';
import type { IsQuery, ReportsQuery, StatusQuery } from '../../src/objects/results.ts';

/** Asks which members are missing. */
interface MissingQuery {
  readonly type: 'missing';
}

/** A pause that ends by itself after `lasts` ms, or is without an end. The edge computes the end when it reads the request. */
interface PauseFor {
  readonly type: 'pause';
  readonly by?: string;
  readonly reason?: string;
  readonly lasts?: number;
}

export type Operation = Override | PauseFor | Resume | SetInputs | SetMembers | Start | StrikeMember;

export type Request = Update | Claim | Operation | IsQuery | StatusQuery | ReportsQuery | MissingQuery;

const QUERIES: ReadonlySet<Request['type']> = new Set(['is', 'status', 'reports', 'missing']);

/** Whether a request only reads. */
export function isQuery({ type }: Request): boolean {
  return QUERIES.has(type);
}

/** Whether the answer to a request says when a lease ends. */
export function takesLease(request: Request): request is Claim {
  return request.type === 'claim' || request.type === 'renew';
}

/** An HTTP response, with everything that it says about the machine. Lists of names are sorted. */
export interface Answer {
  readonly status: number;
  /** From the `ETag`. */
  readonly revision: number;
  /** Of a refusal: its code, the active states, and the holders of the slots if it lists them. */
  readonly problem?: string;
  readonly states?: readonly string[];
  readonly holders?: readonly string[];
  readonly document?: Document;
  /** The reports of a state's present or last visit (`reportText`), sorted. */
  readonly reports?: readonly string[];
  /** The members that are missing. */
  readonly names?: readonly string[];
  /** What a change of members has changed. */
  readonly members?: {
    readonly total: number | null;
    readonly added: number;
    readonly removed: number;
    readonly relabelled: number;
  };
  readonly moments?: Moments;
}

/** A report of a caller as text. @param data JSON. */
export function reportText({ event, by, data }: { event: string; by: string; data?: string }): string {
  return `${event} by ${by}${data === undefined ? '' : `: ${data}`}`;
}

/** The status document without its moments. */
export interface Document {
  readonly states: readonly string[];
  readonly revision: number;
  readonly context: Readonly<Record<string, unknown>>;
  readonly inputs: Inputs;
  readonly members: { readonly total: number } | null;
  readonly paused: { readonly by: string | null; readonly reason: string | null } | null;
  readonly quorums: readonly {
    readonly state: string;
    readonly event: string;
    readonly have: number;
    readonly need: number | null;
    readonly by: readonly string[];
    readonly expected?: number | undefined;
    readonly missing?: { readonly count: number; readonly names: readonly string[] } | undefined;
  }[];
  readonly claims: readonly {
    readonly state: string;
    readonly slots: number | null;
    readonly holders: readonly string[];
  }[];
  readonly windows: readonly { readonly state: string; readonly open: boolean }[];
}

/** Moments in an answer, ms since the epoch. */
export interface Moments {
  /** The last change. */
  readonly changed?: number;
  /** When each timer is due, the earliest first. */
  readonly timers?: readonly number[];
  readonly leases?: readonly { readonly state: string; readonly by: string; readonly until: number }[];
  readonly paused?: { readonly since: number; readonly until?: number };
}
