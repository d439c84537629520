/**
 * Receipts: what is remembered of requests that were answered, so that one that comes again changes nothing.
 * The one mechanism under `by=` (a caller counts once per visit and event) and `Idempotency-Key`.
 */
import type { StateNumber } from './chart/index.ts';

/** A row of the store. Its key says what it is a receipt of: see `reportKey` and `requestKey`. */
export interface Receipt {
  readonly key: string;
  /** Of a report: the visit of the state that it was sent to. Else 0. */
  readonly visit: number;
  /** Of a report: how many visits the machine had begun by then. Else 0. */
  readonly began: number;
  /** Of a request with a key: what it asked for, and what it was answered (JSON). Else empty. */
  readonly request: string;
  readonly answer: string;
}

/** The receipt of a caller's report: the newest one stands for all visits before it. */
export function reportKey(state: StateNumber, event: string, by: string): string {
  return `by/${state}/${JSON.stringify([event, by])}`;
}

/** The receipt of a request that came with an `Idempotency-Key`. */
export function requestKey(key: string): string {
  return `key/${key}`;
}

/** The inverse of `reportKey`; undefined for other receipts. */
export function readReportKey(key: string): { state: StateNumber; event: string; by: string } | undefined {
  const match = /^by\/(\d+)\/(.*)$/s.exec(key);
  if (match === null) return undefined;
  const [event, by]: [string, string] = JSON.parse(match[2] ?? '["",""]');
  return { state: Number(match[1]), event, by };
}
