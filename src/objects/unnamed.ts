import { type Refusal, refuse } from '../refusal.ts';

/** Until an object that was opened by its id is ended, in ms: its answer is sent before. */
const END = 10;

/**
 * Refuses calls of an object that was opened by its id, which does not say the address of the machine. Then ends the
 * object: the next call by name would get the same object, without a name.
 */
export async function refuseUnnamed(ctx: DurableObjectState, calls: number): Promise<Refusal[]> {
  const detail = 'A machine is opened by its name, which is its address, and not by the id of its object.';
  setTimeout(() => ctx.abort(detail), END);
  return Array.from({ length: calls }, () => refuse('wrong-address', detail, { retryAfter: 1 }));
}
