import type { Context } from 'hono';
import type { Inputs } from '../chart/chart.ts';
import { INPUTS_BYTES } from '../chart-limits.ts';
import { type Parsed, parseInput } from '../inputs.ts';
import { refuse } from '../refusal.ts';
import { readText } from './body.ts';
import { ANY_TYPE } from './contract/contract.ts';
import { InputsShape } from './contract/document-parts.ts';
import type { AppEnv } from './env.ts';

/** The part of a contract that says that the body may have inputs as well. */
export const INPUTS_IN_BODY = {
  body: { 'application/json': InputsShape, ...ANY_TYPE },
  isBodyOptional: true,
} as const;

/**
 * Reads the inputs of a run: the parameters of the query, of several with one name the first, and then the keys of the
 * body. A plain object: it crosses an RPC.
 */
export async function readInputs(c: Context<AppEnv>): Promise<Parsed<Inputs>> {
  const body = await inputsInBody(c);
  return body.ok ? { ok: true, value: { ...c.req.query(), ...body.value } } : body;
}

const RULE = 'The body must be a JSON object of inputs, such as {"batch": 10}.';

async function inputsInBody(c: Context): Promise<Parsed<Inputs>> {
  const text = await readText(c, 2 * INPUTS_BYTES);
  if (!text.ok) return text;
  if (text.value.trim() === '') return { ok: true, value: {} };
  try {
    const parsed = parseInput(InputsShape, JSON.parse(text.value));
    return parsed.ok ? parsed : refuse('wrong-parameter', RULE);
  } catch {
    return refuse('wrong-parameter', RULE);
  }
}
