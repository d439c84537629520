/** What a method of a resource promises: OpenAPI is written from it, and a test holds every answer against it. */
import type { Context } from 'hono';
import type * as z from 'zod';
import type { Parsed } from '../../inputs.ts';
import type { RefusalCode } from '../../refusal.ts';
import type { AppEnv } from '../env.ts';

export interface Contract {
  /** Its name where code is generated from OpenAPI: `isCurrent`. */
  readonly id: string;
  /** What it does, in a line. */
  readonly summary: string;
  readonly parameters?: readonly Parameter<unknown>[];
  /** What is sent along. */
  readonly body?: Content;
  /** By status; 2xx and 304. */
  readonly answers: Readonly<Record<number, Reply>>;
  /** The kinds of no beside those that any resource may say. */
  readonly refusals?: readonly RefusalCode[];
}

/** A yes. */
interface Reply {
  readonly says: string;
  /** Left out where there is no body. */
  readonly content?: Content;
  /** Names of headers that it has beside those that every answer has. */
  readonly headers?: readonly HeaderName[];
}

/** A body by its media type: its document, or text of that type. */
export type Content = Readonly<Record<string, z.ZodType | 'text'>>;

/** What a caller may say in the query or in a header. */
export interface Parameter<Value> {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly says: string;
  readonly isRequired?: boolean;
  /** Of its text where that is a string, else of what the text says. */
  readonly shape: z.ZodType;
  read(c: Context<AppEnv>): Parsed<Value>;
}

/** Headers that not every answer has. */
export const HEADERS = {
  ETag: "The machine's revision, in quotes (RFC 9110, section 8.8.3).",
  'Retry-After': 'Not yet: when it is worth asking again, in seconds. A 406 without it is final.',
  'WWW-Authenticate': 'How to sign in (RFC 7617).',
  Vary: 'The answer depends on what is accepted.',
} as const;

export type HeaderName = keyof typeof HEADERS;
