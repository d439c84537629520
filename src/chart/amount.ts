/** Amounts of quorums and slots: a number, a share of the machine's members, or one of the run's inputs. */
import * as z from 'zod/mini';
import { type InputReference, parseInputReference, type Scalar } from './terms.ts';

/** `5`, `95%`, or `inputs.batch`, whose value is an amount again. `all` is 100 %. */
export type Amount = number | Share | InputReference;

/** A share of the members that a state is for. */
interface Share {
  readonly percent: number;
}

/** At most three decimals, so that shares are exact in thousandths. */
const SHARE = /^(\d{1,3}(?:\.\d{1,3})?)%$/;

/**
 * Reads an amount from a document, or from the value of an input.
 *
 * @returns undefined for anything else, and for numbers below 1.
 */
export function parseAmount(data: unknown): Amount | undefined {
  if (typeof data === 'number') return Number.isSafeInteger(data) && data >= 1 ? data : undefined;
  if (typeof data !== 'string') return undefined;
  if (data === 'all') return { percent: 100 };
  const percent = Number(SHARE.exec(data)?.[1] ?? 0);
  if (percent > 0 && percent <= 100) return { percent };
  return parseInputReference(data);
}

/**
 * Reads the value of an input as an amount: a number, `95%` or `all`. A number may be written as text, as in a query.
 *
 * @returns undefined for anything else, another input included.
 */
export function parseInputAmount(value: Scalar | undefined): number | Share | undefined {
  const amount = parseAmount(typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value);
  return typeof amount === 'object' && 'input' in amount ? undefined : amount;
}

/** @returns the amount without its input; undefined where the input has no value that is an amount. */
export function settle(
  amount: Amount,
  inputs: { readonly [name: string]: Scalar },
): number | Share | undefined {
  return typeof amount === 'object' && 'input' in amount ? parseInputAmount(inputs[amount.input]) : amount;
}

/** Whether an amount is a share of the members, by the inputs of a run. */
export function isShare(amount: Amount, inputs: { readonly [name: string]: Scalar }): boolean {
  return typeof settle(amount, inputs) === 'object';
}

/**
 * Computes a share: at least 1.
 *
 * @param expected how many members the state is for.
 */
export function shareOf({ percent }: Share, expected: number, round: 'up' | 'down'): number {
  const thousandths = Math.round(percent * 1_000) * expected;
  return Math.max(1, Math[round === 'up' ? 'ceil' : 'floor'](thousandths / 100_000));
}

/** An amount as charts write it. */
export function showAmount(amount: Amount): string {
  if (typeof amount === 'number') return String(amount);
  if ('input' in amount) return `inputs.${amount.input}`;
  return amount.percent === 100 ? 'all' : `${amount.percent}%`;
}

/** The shape of an amount in a document. @param rule of its numbers, such as `a whole number of at least 1`. */
export function amountShape(rule: string, examples: string, most = Number.MAX_SAFE_INTEGER) {
  const error = `must be ${rule}, a share of the members (${examples}), or an input (\`inputs.batch\`)`;
  return z.union(
    [
      z.int({ error }).check(z.minimum(1, { error }), z.maximum(most, { error })),
      z.string().check(
        z.refine((text) => parseAmount(text) !== undefined, { error }),
        z.meta({ pattern: `^(?:all|\\d{1,3}(?:\\.\\d{1,3})?%|inputs\\.[A-Za-z_][A-Za-z0-9_]{0,62})$` }),
      ),
    ],
    { error },
  );
}
