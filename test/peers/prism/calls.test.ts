/** Every operation of the service through Prism: good input passes its check of requests, every answer that of responses. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorization, CALLS, type Call, SECRET, SLOTS, TURNS } from '../../process/calls.ts';
import { fileOf, folderOf } from '../../process/charts.ts';
import { cleanUp, type Server, startServer } from '../../process/server.ts';
import { lacks } from '../fetched.ts';
import { MOCKS_501, OBJECTION, type PrismProxy, startPrism, stopPrisms } from './proxy.ts';

/** Calls that Prism cannot pass on, and why. */
const LEFT_OUT: readonly { readonly why: string; readonly has: (call: Call) => boolean }[] = [
  {
    why: 'Prism reads a response to its end, and a stream of events has none',
    has: ({ id, status }) => id.startsWith('watch') && status === 200,
  },
  { why: 'Prism follows a redirect itself', has: ({ status }) => status === 303 },
  { why: MOCKS_501, has: ({ status }) => status === 501 },
];

/** Refusals that say that the request itself is wrong. Such a request goes to the service unchecked. */
const WRONG_REQUEST = [400, 413, 422];

describe.skipIf(lacks('prism'))('Prism', () => {
  let server: Server;
  let guarded: Server;
  let strict: PrismProxy;
  let lenient: PrismProxy;
  let atGuarded: PrismProxy;
  beforeAll(async () => {
    const charts = await folderOf({ 'acme/release.yaml': TURNS, 'acme/patch.yaml': SLOTS });
    const chart = await fileOf(TURNS);
    server = await startServer({ chart, charts });
    guarded = await startServer({
      chart,
      charts,
      env: { TOKEN_SECRET: SECRET },
    });
    [strict, lenient, atGuarded] = await Promise.all([
      startPrism(server.url, 'both'),
      startPrism(server.url, 'responses'),
      startPrism(guarded.url, 'responses'),
    ]);
  });
  afterAll(async () => {
    stopPrisms();
    await cleanUp();
  });

  it('objects to a response that does not fit', async () => {
    const document: { paths: object } = await (await fetch(`${server.url}/openapi.json`)).json();
    const schema = { type: 'object', required: ['nothing'] };
    const content = { 'application/json': { schema } };
    const health = { get: { responses: { 200: { description: 'Another answer.', content } } } };
    const wrong = await startPrism(server.url, 'responses', {
      ...document,
      paths: { ...document.paths, '/healthz': health },
    });
    const response = await fetch(`${wrong.url}/healthz`);
    wrong.stop();
    expect(response.status).toBe(500);
    expect(await response.text()).toContain(OBJECTION);
  });

  it('objects to a request that does not fit', async () => {
    const response = await fetch(`${strict.url}/acme/release/history?limit=0`);
    expect(response.status).toBe(422);
    expect(await response.text()).toContain(OBJECTION);
  });

  /** The path of the last link. */
  let made = '';

  // In order, because each depends on the ones before it.
  it.for(CALLS)('$id, $status for $request', async (call, { skip }) => {
    const { id, status, request, headers, body, token } = call;
    const left = LEFT_OUT.find(({ has }) => has(call));
    if (left !== undefined) skip(left.why);
    const [method = '', path = ''] = request.split(' ');
    const isWrong = WRONG_REQUEST.includes(status) || id.startsWith('signIn');
    const { url } = token !== undefined ? atGuarded : isWrong ? lenient : strict;
    const response = await fetch(url + (path.endsWith('/LAST') ? made : path), {
      redirect: 'manual',
      method,
      headers: { ...headers, ...(await authorization(token)) },
      ...(body === undefined ? {} : { body }),
    });
    made = response.headers.get('Location') ?? made;
    const text = await response.text();
    expect(text).not.toContain(OBJECTION);
    expect(response.status, text).toBe(status);
  });
});
