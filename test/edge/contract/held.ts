/** Holds answers against what the routes promise: every request that a test sends comes by here. */

import { isReserved } from '../../../src/address.ts';
import { RESOURCES } from '../../../src/edge/app.ts';
import { ProblemShape } from '../../../src/edge/contract/document-shapes.ts';
import { type Operation, operationsOf } from '../../../src/edge/contract/openapi-document.ts';
import { problemType, statusOf } from '../../../src/refusal.ts';

/** All operations with the pattern of their paths, a fixed path before a parameter. */
const OPERATIONS = operationsOf(RESOURCES)
  .map((operation) => ({ operation, pattern: patternOf(operation) }))
  .sort((a, b) => parametersOf(a.operation) - parametersOf(b.operation));

/** @throws if the contract of the operation has no such answer. */
export async function hold(method: string, path: string, response: Response): Promise<void> {
  const operation = operationAt(method === 'HEAD' ? 'GET' : method, path);
  // No operation: an unknown path, or a method that is not for it. An upgrade is HTTP no more.
  if (operation === undefined || [101, 405].includes(response.status)) return;
  const wrong = await wrongWith(operation, method, response);
  if (wrong !== undefined) throw new Error(`${method} ${path} was answered ${response.status}: ${wrong}`);
}

async function wrongWith(
  { contract, refusals, refusalContent }: Operation,
  method: string,
  response: Response,
): Promise<string | undefined> {
  const { status, headers } = response;
  const reply = contract.answers[status];
  if (reply === undefined && !refusals.some((code) => statusOf(code) === status)) return 'no such status';
  const [type = ''] = (headers.get('Content-Type') ?? '').split(';');
  if (method === 'HEAD' || (type === '' && reply !== undefined && reply.content === undefined))
    return undefined;
  const content = reply === undefined ? refusalContent : (reply.content ?? {});
  // A browser is shown a refusal as a page.
  if (reply === undefined && type === 'text/html') return undefined;
  const shape = Object.hasOwn(content, type) ? content[type] : undefined;
  if (shape === undefined) return `no such type of content: ${type}`;
  if (shape === 'text' || type === 'application/x-ndjson') return undefined;
  const body: unknown = await response.clone().json();
  const { error, data } = shape.safeParse(body);
  if (error !== undefined) return `its body is not as promised: ${error.message}`;
  if (shape !== ProblemShape) return undefined;
  const { type: kind } = ProblemShape.parse(data);
  return refusals.some((code) => problemType(code) === kind) ? undefined : `no such kind of no: ${kind}`;
}

/** The operation at a path; one of the root goes before a tenant's. */
function operationAt(method: string, path: string): Operation | undefined {
  // As the Worker sees it: `/%2e%2e` is the root.
  const asked = new URL(`https://service.test${path}`).pathname;
  const found = OPERATIONS.flatMap(({ operation, pattern }) =>
    operation.method === method && pattern.test(asked) ? [operation] : [],
  );
  const atRoot = found.find((operation) => !operation.path.startsWith('/{tenant}'));
  return isReserved(asked.split('/')[1] ?? '') ? atRoot : (atRoot ?? found[0]);
}

function parametersOf({ path }: Operation): number {
  return path.split('{').length;
}

function patternOf({ path }: Operation): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
