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

/** Makes a link that reports `event` for a person. */
export interface MakeLink {
  readonly type: 'makeLink';
  readonly state: string;
  readonly event: string;
  readonly by: string;
}

/** Opens the page of a link, or presses its button. */
export interface Link extends Omit<MakeLink, 'type'> {
  readonly type: 'showLink' | 'useLink';
  /** The last segment of its path. */
  readonly link: string;
  /** The number of the visit that it is for. */
  readonly visit: number;
}

export type Operation = Override | PauseFor | Resume | SetInputs | SetMembers | Start | StrikeMember;

type Command = Update | Claim | MakeLink | Link | Operation;

export type Request = Command | IsQuery | StatusQuery | ReportsQuery | MissingQuery;

const QUERIES: ReadonlySet<Request['type']> = new Set([
  'is',
  'status',
  'reports',
  'missing',
  'makeLink',
  'showLink',
]);

/** Whether a request only reads. */
export function isQuery({ type }: Request): boolean {
  return QUERIES.has(type);
}

/** Whether an edge makes a call again whose connection to the object was cut: it counts once. */
export function isRepeatedByEdges(request: Request): boolean {
  if (request.type === 'update') return request.by !== undefined || request.key !== undefined;
  return REPEATED.has(request.type);
}

const REPEATED: ReadonlySet<Request['type']> = new Set(['claim', 'renew', 'release', 'useLink', 'start']);

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
  /** Of a link that was used: whether it had counted before. */
  readonly isRepeat?: boolean;
  /** Of a link that was made: the number of the visit that it is for. */
  readonly visit?: number;
  readonly moments?: Moments;
  /** The link that was made. */
  readonly link?: string;
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
