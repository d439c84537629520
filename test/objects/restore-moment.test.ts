/** The parameters of `POST {machine}/restore`, and its answer where the platform has no point-in-time recovery. */
import { describe, expect, it } from 'vitest';
import { counting, final, newAddress, newChart, sequence } from '../charts.ts';
import { evict, report, send, tracesOf } from '../service.ts';
import { documentOf, refusedOf, resource, verdict } from './callers.ts';

const HOUR = 60 * 60_000;
const drain = sequence(counting('drain', 'patch', 3), counting('patch', 'done', 3), final('done'));

function restore(address: string, at: number | string): Promise<Response> {
  const text = typeof at === 'number' ? new Date(at).toISOString() : at;
  return send('POST', resource(address, 'restore', { at: text }));
}

describe('where the platform has no point-in-time recovery', () => {
  it('a restore is 501, and changes nothing', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const before = await documentOf(address);
    expect(await verdict(await restore(address, Date.now() - HOUR))).toBe('501 not-supported-here');
    await evict(address);
    expect(await documentOf(address)).toEqual(before);
  });

  it('leaves nothing at an address that was never used', async () => {
    const address = newAddress();
    expect(await verdict(await restore(address, Date.now() - HOUR))).toBe('501 not-supported-here');
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });
});

describe('the moment', () => {
  it.each([
    ['missing', undefined],
    ['unreadable', 'yesterday'],
    ['without an offset', '2026-11-24T09:30:00'],
    ['on a day that does not exist', '2026-02-30T09:30:00Z'],
    ['in the future', new Date(Date.now() + HOUR).toISOString()],
    ['older than 30 days', new Date(Date.now() - 30 * 24 * HOUR - HOUR).toISOString()],
  ])('is refused if it is %s', async (_, at) => {
    const refused = await refusedOf(await send('POST', resource('default', 'restore', { at })));
    expect(refused).toMatchObject({ status: 400, type: 'urn:stateservice:problem:wrong-parameter' });
    expect(refused.detail).toContain('of the last 30 days with its offset, such as 2026-11-24T09:30:00Z');
  });

  it('is taken with an offset', async () => {
    const at = new Date(Date.now() - HOUR).toISOString().replace('Z', '+00:00');
    expect(await verdict(await restore(await newChart(drain), at))).toBe('501 not-supported-here');
  });
});
