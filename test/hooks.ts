/** The hooks of the tests that run inside workerd: a receiver that answers with the status in its path. */
import { type Request, Response } from 'miniflare';

const SECRET = `whsec_${btoa('a secret of the tests, of 32 byte')}`;

const RECEIVER = 'https://receiver.test/';

/** As a deployer sets them. */
export const HOOKS = {
  HOOK_OPS: `${RECEIVER}204 ${SECRET}`,
  HOOK_BROKEN: `${RECEIVER}500 ${SECRET}`,
  HOOK_GONE: `${RECEIVER}410 ${SECRET}`,
};

/** Adds the receiver to what the tests' Worker reaches. */
export function withHooks(others: (request: Request) => Promise<Response>) {
  return async (request: Request): Promise<Response> => {
    if (!request.url.startsWith(RECEIVER)) return others(request);
    return new Response(null, { status: Number(request.url.slice(RECEIVER.length)) });
  };
}
