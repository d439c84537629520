/** Every refusal is a problem document (RFC 9457) that says what is wrong and what would be right. */
import { expect, it } from 'vitest';
import { counting, final, newAddress, newChart, sequence, timed } from '../../charts.ts';
import { problemOf, reportTimes, send, statePath } from '../../service.ts';

const started = await newChart(sequence(counting('a', 'b'), final('b')));
const done = await newChart(sequence(counting('a', 'b'), final('b')));
await reportTimes(done, 'a', 1);
const waiting = await newChart(sequence(timed('night', 'day', '2999-01-01T06:00:00'), final('day')));
const wrong = await newChart('current_state: [');

const REFUSED: readonly [code: string, status: number, method: string, path: string, detail: RegExp][] = [
  ['wrong-address', 400, 'GET', '/a/b@/state', /run "".*must have 1 to 63/],
  ['wrong-parameter', 400, 'GET', `/${started}/history?limit=none`, /`limit`.*from 1 to 1000/],
  ['no-chart', 404, 'GET', `/${newAddress()}/state?state=a`, /No chart/],
  ['not-begun', 404, 'POST', `/${started}@1/links?state=a&by=anna`, /begin it with POST/],
  ['no-such-path', 404, 'GET', '/a/b/c/d', /paths such as/],
  ['wrong-method', 405, 'POST', `/${started}/state`, /POST.*GET, HEAD, PUT, OPTIONS/],
  ['not-current', 406, 'GET', statePath(started, 'b'), /"b" is not current.*"a"/],
  ['not-current', 406, 'PUT', statePath(started, 'c'), /no state "c".*"a"/],
  ['no-state-named', 406, 'GET', `/${started}/state`, /\?state=NAME/],
  ['final-state', 406, 'PUT', statePath(done, 'b'), /"b" is the end/],
  ['not-taken', 406, 'PUT', statePath(waiting, 'night'), /by itself at 2999-01-01T06:00:00/],
  ['invalid-chart', 422, 'GET', `/${wrong}/state?state=a`, /an error; nothing was started/],
  ['no-state-to-update', 500, 'PUT', `/${started}/state`, /\?state=NAME/],
];

it.each(REFUSED)('%s is %i: %s %s', async (code, status, method, path, detail) => {
  const response = await send(method, path);
  expect(response.status).toBe(status);
  expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ type: `urn:stateservice:problem:${code}`, status });
  expect(problem.detail).toMatch(detail);
  expect(problem.title).toMatch(/^[A-Z].*[^.]$/);
});

it('each kind of refusal has one title and one status', async () => {
  const seen = new Map<string, string>();
  for (const [, , method, path] of REFUSED) {
    const { type, title, status } = await problemOf(await send(method, path));
    expect(seen.get(type) ?? `${status} ${title}`).toBe(`${status} ${title}`);
    seen.set(type, `${status} ${title}`);
  }
  expect(new Set(seen.values()).size).toBe(seen.size);
});

it('a refusal by a machine has its state in the body and its revision as ETag', async () => {
  for (const path of [statePath(done, 'a'), statePath(done, 'c')]) {
    const response = await send('GET', path);
    expect(response.headers.get('ETag')).toBe('"2"');
    expect((await problemOf(response)).machine).toMatchObject({ revision: 2, states: ['b'] });
  }
});

it('a refusal without a machine has no revision', async () => {
  for (const path of ['/a/b@/state', `/${newAddress()}`, '/a/b/c/d', `/${wrong}`]) {
    const response = await send('GET', path);
    expect(response.headers.get('ETag')).toBeNull();
    expect(await problemOf(response)).not.toHaveProperty('machine');
  }
});
