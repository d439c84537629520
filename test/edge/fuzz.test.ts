/** Random requests: none causes a fault, leaks a secret or leaves an object behind. */
import { listDurableObjectIds } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import * as fc from 'fast-check';
import { afterAll, expect, it, vi } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { FUZZ, timeOf } from '../fuzz.ts';
import { send } from '../service.ts';
import { GUARDED, PREVIOUS_SECRET, SECRET, sendWith, tokenFor, tokenWith } from '../tokens.ts';

const address = await newChart(sequence(counting('a', 'b', 1_000_000), final('b')));
const [tenant = ''] = address.split('/');

// A caller with all rights may also use the service's own machine.
afterAll(async () => {
  await send('DELETE', '/');
});

/** A token that may read one machine. */
const READS = await tokenFor(address, 'read');

/** That token, and others without a right here. */
const TOKENS = [
  READS,
  await tokenFor('elsewhere/*', 'read', 'update', 'admin'),
  await tokenWith({ exp: 1 }),
  await tokenWith({}, PREVIOUS_SECRET),
  await tokenWith({ can: ['root'] }),
  await tokenWith({ charts: [`${tenant}/../*`] }),
];

const word = fc.oneof(
  fc.constantFrom(
    'state',
    'chart',
    'history',
    'reports',
    'watch',
    'claims',
    'reset',
    'v1',
    'pre-reboot',
    'healthz',
    'default',
    '',
  ),
  fc.constantFrom(
    ...address.split('/'),
    `${address.split('/')[1]}@run`,
    '..',
    '.',
    '%2e%2e',
    '%00',
    '%',
    '%zz',
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }).map(encodeURIComponent),
  fc.stringMatching(/^[a-z]{1,4}$/),
);
const disorder = fc
  .array(
    fc.tuple(
      fc.constantFrom('state', 'event', 'by', 'wait', 'after', 'limit', 'before', 'reset', 'chart', 'x'),
      fc.oneof(
        fc.constantFrom('a', 'b', 'true', '0', '1', '-1', '1e9', 'NaN', '0s'),
        fc.string({ maxLength: 30 }),
      ),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => new URLSearchParams(pairs).toString());
/** An unknown parameter ends a request early, so not every query has one. */
const query = fc.oneof({ weight: 2, arbitrary: fc.constantFrom('', 'state=a', 'state=a&by=b') }, disorder);
const header = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'If-Match',
      'If-None-Match',
      'Idempotency-Key',
      'Last-Event-ID',
      'Accept',
      'Origin',
      'Upgrade',
    ),
    fc.oneof(
      fc.constantFrom('*', '"1"', '1', 'text/html', 'null', 'websocket', 'https://service.test'),
      headerText(),
    ),
  ),
  fc.tuple(
    fc.constantFrom('Content-Type', 'Content-Length', 'fleet-lock-protocol', 'Sec-Fetch-Site'),
    headerText(),
  ),
);
const authorization = fc.oneof(
  fc.constant(undefined),
  // Often enough that some requests get past it.
  fc.constant(`Bearer ${READS}`),
  fc.constantFrom(...TOKENS).map((token) => `Bearer ${token}`),
  fc.constantFrom(...TOKENS).map((token) => `Basic ${btoa(`x:${token}`)}`),
  fc
    .tuple(fc.constantFrom(...TOKENS), fc.nat(300), headerText())
    .map(([token, at, text]) => `Bearer ${token.slice(0, at)}${text}${token.slice(at + 1)}`),
  headerText(),
);
const body = fc.oneof(
  fc.constantFrom(
    '',
    'initial: a\nstates: {a: {}}',
    '{"client_params":{"id":"x","group":"a"}}',
    '[',
    '\u0000',
  ),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

/** Fewer would miss some of the statuses below by chance. */
const REQUESTS = Math.max(1_000, FUZZ.runs);

function headerText() {
  return fc.stringMatching(/^[ -~]{0,40}$/);
}

/** A random request and its response. */
async function answersTo(
  who: fc.Arbitrary<string | undefined>,
  numRuns: number,
): Promise<{ readonly statuses: ReadonlyMap<number, number>; readonly logged: string }> {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'),
      fc.oneof(
        fc.array(word, { maxLength: 6 }).map((words) => words.join('/')),
        fc
          .constantFrom('state', 'chart', 'history', 'reports', 'watch', 'claims', 'reset')
          .map((path) => `${address}/${path}`),
      ),
      query,
      fc.array(header, { maxLength: 4 }),
      who,
      body,
      async (method, path, search, headers, said, text) => {
        const request: RequestInit = {
          headers: [...headers, ...(said === undefined ? [] : [['Authorization', said] as [string, string]])],
          ...(method === 'GET' || method === 'HEAD' ? {} : { body: text }),
        };
        const response = await sendWith(GUARDED, method, `/${path}?${search}`, request);
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        const isStream = response.headers.get('Content-Type') === 'text/event-stream';
        const answer = isStream ? '' : await response.text();
        if (isStream) await response.body?.cancel();
        response.webSocket?.accept();
        response.webSocket?.close();
        // The only 500: the original's response to a report that names no state.
        const isOriginal = answer.includes('no-state-to-update');
        expect(response.status < 500 || isOriginal, `${response.status} ${answer}`).toBe(true);
        const told = `${answer}${JSON.stringify([...response.headers])}`;
        for (const secret of [SECRET, PREVIOUS_SECRET]) expect(told).not.toContain(secret);
        expect(told).not.toMatch(/\n\s+at |\.ts:\d|node_modules/);
      },
    ),
    { numRuns, seed: FUZZ.seed },
  );
  const logged = log.mock.calls.flat().map(String).join('\n');
  log.mockRestore();
  const counts = [...statuses].sort().map(([status, count]) => `${status}: ${count}`);
  console.log(`requests of every disorder: seed ${FUZZ.seed}; answers by status: ${counts.join(', ')}`);
  return { statuses, logged };
}

it(
  `${REQUESTS} random requests without a right have no effect`,
  async () => {
    const before = await listDurableObjectIds(env.MACHINES);
    const { statuses, logged } = await answersTo(authorization, REQUESTS);
    expect(logged).toBe('');
    // Only the machine that the token may read has begun; there is no other object.
    const after = await listDurableObjectIds(env.MACHINES);
    const known = new Set([...before.map(String), String(env.MACHINES.idFromName(address))]);
    expect(after.map(String).filter((id) => !known.has(id))).toEqual([]);
    // The requests have reached the service's code.
    for (const status of [200, 400, 401, 403, 404, 405]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
  },
  timeOf(100_000),
);

it(
  'random requests with all rights cause no fault',
  async () => {
    const token = await tokenFor('*', 'read', 'update', 'admin');
    const { statuses, logged } = await answersTo(fc.constant(`Bearer ${token}`), REQUESTS / 2);
    expect(logged).toBe('');
    for (const status of [200, 204, 400, 404]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
  },
  timeOf(100_000),
);
