/** `renew=true`: a caller keeps its slot while it works, and hears that it has lost it. The revision of a claim fences. */
import { describe, expect, it, vi } from 'vitest';
import { counting, newChart, sequence } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { ask, evict, send, tracesOf } from '../service.ts';
import {
  claim,
  documentOf,
  erase,
  put,
  refusedOf,
  release,
  reset,
  resource,
  revisionOf,
  verdict,
} from './callers.ts';

const MINUTE = 60_000;

beginAtNoon();

const work = sequence(
  { ...counting('work', 'rest', 2), slots: 1, lease: '10m' },
  counting('rest', 'work', 1),
);

async function renew(address: string, by: string, state = 'work'): Promise<Response> {
  return send('POST', resource(address, 'claims', { state, by, renew: 'true' }));
}

describe('a holder that renews', () => {
  it('holds its slot for one more lease from now on', async () => {
    const address = await newChart(work);
    const first = await claim(address, 'work', 'a');
    expect(await first.json()).toEqual({
      state: 'work',
      by: 'a',
      until: '2040-06-01T12:10:00.000Z',
      lease: 600,
    });
    vi.setSystemTime(NOON + 9 * MINUTE);
    const again = await renew(address, 'a');
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ until: '2040-06-01T12:19:00.000Z', lease: 600 });
    expect(await verdict(await claim(address, 'work', 'b'))).toBe('406 slots-taken');
  });

  it('goes on while the machine is paused, and after its object was evicted', async () => {
    const address = await newChart(work);
    await claim(address, 'work', 'a');
    await send('POST', resource(address, 'pause', { reason: 'a look' }));
    await evict(address);
    expect(await verdict(await renew(address, 'a'))).toBe('200');
  });
});

describe('a slot that is lost', () => {
  it.each([
    ['its lease has ended', async () => void vi.setSystemTime(NOON + 10 * MINUTE), '406 not-holder'],
    ['it was given back', (address: string) => release(address, 'work', 'a'), '406 not-holder'],
    ['its work was reported', (address: string) => put(address, 'work', { by: 'a' }), '406 not-holder'],
    ['the machine was reset', (address: string) => reset(address), '406 not-holder'],
    [
      'the state was left',
      (address: string) => send('POST', resource(address, 'override', { to: 'rest', reason: 'now' })),
      '406 not-current',
    ],
    [
      'the state was left and entered again',
      async (address: string) => {
        await send('POST', resource(address, 'override', { to: 'rest', reason: 'now' }));
        await put(address, 'rest');
      },
      '406 not-holder',
    ],
  ])('is not taken again after %s', async (_, lose, refused) => {
    const address = await newChart(work);
    await claim(address, 'work', 'a');
    await lose(address);
    const { revision } = await documentOf(address);
    expect(await verdict(await renew(address, 'a'))).toBe(refused);
    const after = await documentOf(address);
    expect(after.revision).toBe(revision);
    expect(after.claims.flatMap(({ holders }) => holders)).toEqual([]);
  });

  it('is another caller’s by now, who is named', async () => {
    const address = await newChart(work);
    await claim(address, 'work', 'a');
    vi.setSystemTime(NOON + 10 * MINUTE);
    await claim(address, 'work', 'b');
    const { detail, holders } = await refusedOf(await renew(address, 'a'));
    expect(detail).toMatch(/^"a" holds no slot of "work" \(held by "b"\)/);
    expect(holders?.map(({ by }) => by)).toEqual(['b']);
  });

  it('does not begin a run again that was deleted', async () => {
    const address = `${await newChart(work)}@1`;
    await claim(address, 'work', 'a');
    await erase(address);
    expect(await verdict(await renew(address, 'a'))).toBe('406 not-holder');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

describe('the revision of a claim', () => {
  it('grows with each claim of the machine, also of one that was deleted in between', async () => {
    const address = `${await newChart(work)}@1`;
    const tokens: number[] = [];
    const take = async (by: string) => tokens.push(revisionOf(await claim(address, 'work', by)));
    await take('a');
    // Its own slot again, as after a crash.
    await take('a');
    await release(address, 'work', 'a');
    await take('b');
    vi.setSystemTime(NOON + 10 * MINUTE);
    await take('a');
    await reset(address);
    await take('a');
    expect((await erase(address)).status).toBe(204);
    await ask(address, 'work');
    await take('a');
    await erase(address);
    await evict(address);
    await take('b');
    expect(tokens).toEqual([...new Set(tokens)].toSorted((one, other) => one - other));
    expect(tokens).toHaveLength(7);
  });
});
