/** The contract of a method of a resource. OpenAPI is generated from it, and tests check every response against it. */
import type { Context } from 'hono';
import type * as z from 'zod/mini';
import type { Parsed } from '../../inputs.ts';
import type { RefusalCode } from '../../refusal.ts';
import type { AppEnv } from '../env.ts';

export interface Contract {
  /** The name of the operation in code that is generated from OpenAPI: `isCurrent`. */
  readonly id: string;
  /** What the method does, in a line. */
  readonly summary: string;
  readonly parameters?: readonly Parameter<unknown>[];
  /** Set if all other parameters of the query are inputs of the run: what they are, in a line. */
  readonly inputs?: string;
  /** The body of the request. */
  readonly body?: RequestBody;
  /** Whether a request without a body is right as well. */
  readonly isBodyOptional?: true;
  /** The successful responses by status: 2xx and 304. */
  readonly answers: Readonly<Record<number, Reply>>;
  /** The refusals beside those that any resource may answer with. */
  readonly refusals?: readonly RefusalCode[];
}

/** A successful response. */
interface Reply {
  readonly says: string;
  /** Absent if the response has no body. */
  readonly content?: Content;
  /** Headers beside those that every response has. */
  readonly headers?: readonly HeaderName[];
}

/** The schema of a body by its media type, or `text`. */
export type Content = Readonly<Record<string, z.ZodMiniType | 'text'>>;

/** The schema of a request's body by its media type. `any`: the body is not read, or is read as the type beside it. */
export type RequestBody = Readonly<Record<string, z.ZodMiniType | 'text' | 'any'>>;

/** Any `Content-Type`: `curl -d` and `curl --data-binary` send that a body is a form, whatever it is. */
export const ANY_TYPE = { '*/*': 'any' } as const satisfies RequestBody;

/** A parameter of the query, or a header of the request. */
export interface Parameter<Value> {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly says: string;
  readonly isRequired?: boolean;
  /** The rule for its value, as OpenAPI publishes it. */
  readonly shape: z.ZodMiniType;
  read(c: Context<AppEnv>): Parsed<Value>;
}

/** Headers that only some responses have. */
export const HEADERS = {
  ETag: "The machine's revision, in quotes; of a file, its hash (RFC 9110, section 8.8.3).",
  Age: 'How old the answer may be, in seconds (RFC 9111, section 5.1); only with `max-stale`.',
  'Retry-After': 'When a repeat may succeed, in seconds. A 406 without it is final.',
  'WWW-Authenticate': 'How to authenticate (RFC 7617).',
  Vary: 'The response depends on `Accept`.',
  Link: 'The next page (RFC 8288).',
  Location: 'Where the browser goes next, or the path of what was made.',
  'Set-Cookie': 'Begins or ends the session of a browser (RFC 6265).',
  'X-Robots-Tag': 'Search engines leave it out: `noindex`.',
} as const;

export type HeaderName = keyof typeof HEADERS;
