import type { Operation } from './history.ts';
import type { Answer, Report, Request } from './wire.ts';

/**
 * Adds to calls that died what they were answered, where that can be known: whoever has said the same again with the
 * same `Idempotency-Key` was told it; and whoever has said something else with it, that it was taken. Without, a search
 * would have to try every moment at which such a call can have been answered, and would learn only much later that it
 * was another one.
 */
export function withHeard(history: readonly Operation<Request, Answer>[]): Operation<Request, Answer>[] {
  const heard = new Map<string, Answer>();
  const taken = new Set<string>();
  for (const { request, outcome } of history) {
    if (!outcome.known || !isKeyed(request)) continue;
    if (outcome.answer.problem === 'key-reused') taken.add(request.key);
    else heard.set(keyed(request), outcome.answer);
  }
  return history.map((operation) => {
    const { request, outcome } = operation;
    if (outcome.known || !isKeyed(request)) return operation;
    const answer = heard.get(keyed(request));
    if (answer !== undefined) return { ...operation, outcome: { ...outcome, heard: answer } };
    return taken.has(request.key) ? { ...operation, outcome: { ...outcome, hasTakenKey: true } } : operation;
  });
}

function isKeyed(request: Request): request is Report & { readonly key: string } {
  return request.kind === 'report' && request.key !== undefined;
}

/** @returns the same for requests that are the same under the same key. */
function keyed({ state, event, by, key, revision }: Report): string {
  return JSON.stringify([key, state, event, by, revision]);
}
