import type { Operation } from './history.ts';
import type { Answer, Report, Request } from './wire.ts';

/**
 * Adds to calls that died what they were answered, where that can be known: whoever has said the same again with the
 * same `Idempotency-Key` was told it. Without, a search would have to try every moment at which such a call can have
 * been answered, and would learn only much later that it was another one.
 */
export function withHeard(history: readonly Operation<Request, Answer>[]): Operation<Request, Answer>[] {
  const heard = new Map<string, Answer>();
  for (const { request, outcome } of history) {
    const key = keyed(request);
    if (key !== undefined && outcome.known && outcome.answer.problem !== 'key-reused')
      heard.set(key, outcome.answer);
  }
  return history.map((operation) => {
    const { request, outcome } = operation;
    const answer = heard.get(keyed(request) ?? '');
    return outcome.known || answer === undefined
      ? operation
      : { ...operation, outcome: { ...outcome, heard: answer } };
  });
}

/** @returns the same for requests that are the same under the same key. */
function keyed(request: Request): string | undefined {
  if (request.kind !== 'report' || request.key === undefined) return undefined;
  const { state, event, by, key, revision }: Report = request;
  return JSON.stringify([key, state, event, by, revision]);
}
