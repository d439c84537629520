/** Making links: for whom, for what, and for how long. */
import { describe, expect, it } from 'vitest';
import { newChart } from '../charts.ts';
import { problemOf, send, statusOf } from '../service.ts';
import { put, resource } from './callers.ts';
import { APPROVAL, linkTo, make, waiting } from './people.ts';

describe('making a link', () => {
  const refusal = async (response: Response) => {
    const { type, detail } = await problemOf(response);
    return [response.status, type.slice(type.lastIndexOf(':') + 1), detail] as const;
  };

  it('answers with its URL, and what it is for', async () => {
    const address = await waiting();
    const before = Date.now();
    const response = await make(address, 'waiting', { ttl: '2h' });
    const made = await response.json<Record<string, string>>();
    expect(made).toMatchObject({ state: 'waiting', event: 'approve', by: 'anna' });
    expect(made.url).toBe(`https://service.test${response.headers.get('Location')}`);
    const until = Date.parse(made.until ?? '');
    expect(until).toBeGreaterThanOrEqual(before + 7_200_000);
    expect(until).toBeLessThanOrEqual(Date.now() + 7_200_000);
    const headers = { Accept: 'text/plain' };
    const plain = await send(
      'POST',
      resource(address, 'links', { state: 'waiting', event: 'approve', by: 'ben' }),
      {
        headers,
      },
    );
    expect(await plain.text()).toMatch(
      new RegExp(`^https://service\\.test/${address}/links/[\\w-]+\\.[\\w-]{43}\n$`),
    );
  });

  it('changes nothing', async () => {
    const address = await waiting();
    const before = await statusOf(address);
    await linkTo(address, 'waiting');
    expect(await statusOf(address)).toEqual(before);
  });

  it('names the state by its own name', async () => {
    const address = await newChart(
      'initial: outer\nstates: {outer: {initial: inner, states: {inner: {on: {update: other}}, other: {}}}}',
    );
    const response = await make(address, 'inner', { event: 'update' });
    expect(await response.json()).toMatchObject({ state: 'outer.inner' });
  });

  it('is refused where the report would be', async () => {
    const address = await waiting();
    expect(await refusal(await make(address, 'deploy'))).toEqual([406, 'not-current', expect.any(String)]);
    expect(await refusal(await make(address, 'nothing'))).toEqual([406, 'not-current', expect.any(String)]);
    expect(await refusal(await make(address, 'waiting', { event: 'aprove' }))).toEqual([
      406,
      'not-taken',
      expect.any(String),
    ]);
    expect(await refusal(await make(address, 'waiting', { event: 'xstate.init' }))).toEqual([
      400,
      'reserved-event',
      expect.any(String),
    ]);
    await send('PUT', resource(address, 'members'), { body: 'ann\nben\n' });
    expect(await refusal(await make(address, 'waiting'))).toEqual([
      406,
      'not-a-member',
      '"anna" is not a member of this machine. Did you mean "ann"?',
    ]);
    await put(address, 'waiting', { event: 'reject', by: 'ben' });
    expect(await refusal(await make(address, 'rejected', { by: 'ben' }))).toEqual([
      406,
      'final-state',
      expect.any(String),
    ]);
  });

  it('is refused for a person who has reported', async () => {
    const address = await waiting();
    await put(address, 'waiting', { event: 'approve', by: 'anna' });
    expect(await refusal(await make(address, 'waiting'))).toEqual([
      406,
      'already-reported',
      '"anna" has reported in this visit of "waiting": its part is done.',
    ]);
  });

  it('is refused at a run that has not begun, and begins none', async () => {
    const address = `${await newChart(APPROVAL)}@1`;
    expect(await refusal(await make(address, 'build', { event: 'update' }))).toEqual([
      404,
      'not-begun',
      expect.stringContaining('the run has not begun'),
    ]);
    expect(await statusOf(address)).toMatchObject({ started: null });
  });

  it.each([
    ['state=waiting', 'The query must name the caller: ?by=NAME.'],
    ['by=anna', 'The query names no state; add ?state=NAME.'],
    ['state=waiting&by=anna&ttl=8d', '`ttl` must be a duration from 1s to 7d, such as 8h.'],
    ['state=waiting&by=anna&ttl=999ms', '`ttl` must be a duration from 1s to 7d, such as 8h.'],
    ['state=waiting&by=anna&ttl=soon', '`ttl` must be a duration from 1s to 7d, such as 8h.'],
    ['state=waiting&by=anna&evnt=x', 'This takes no parameter "evnt"; did you mean "event"?'],
  ])('is refused with a wrong query: %s', async (query, detail) => {
    const address = await waiting();
    expect(await refusal(await send('POST', `/${address}/links?${query}`))).toEqual([
      400,
      'wrong-parameter',
      detail,
    ]);
  });

  it('takes seven days, and a number of seconds', async () => {
    const address = await waiting();
    for (const ttl of ['7d', '1s', '604800'])
      expect((await make(address, 'waiting', { ttl })).status).toBe(201);
  });

  it('is refused if the names make it too long', async () => {
    const name = 'x'.repeat(1_000);
    const address = await newChart(
      `initial: ${name}\nstates: {${name}: {initial: ${name}, states: {${name}: {initial: ${name}, states: {${name}: {on: {update: b}}, b: {}}}}}}`,
    );
    const state = [name, name, name].join('.');
    expect(await refusal(await make(address, state, { event: 'update' }))).toEqual([
      400,
      'wrong-parameter',
      expect.stringContaining('more than 4096 characters'),
    ]);
  });
});
