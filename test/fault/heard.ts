import type { Update } from '../../src/commands.ts';
import type { Operation } from './history.ts';
import type { Answer, Request } from './requests.ts';

/**
 * Adds to calls that died the answers that they must have had. A repeat under the same `Idempotency-Key` got the
 * first answer, and another request under that key was refused because the key is taken. Without this, a search would
 * try every moment at which such a call can have been answered, and would find the contradiction much later.
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

function isKeyed(request: Request): request is Update & { readonly key: string } {
  return request.type === 'update' && request.key !== undefined;
}

/** @returns the same text for requests that are the same under the same key. */
function keyed({ state, event, by, key, revisions, data }: Update): string {
  return JSON.stringify([key, state, event, by, revisions, data]);
}
