/** The bytes of the pages where there is much to show. */
import { describe, expect, it } from 'vitest';
import { MEMBERS } from '../../src/limits.ts';
import { newChart } from '../charts.ts';
import { put } from '../objects/callers.ts';
import { send } from '../service.ts';

const MOST = 200_000;

async function bytesOf(path: string): Promise<number> {
  const response = await send('GET', path, { headers: { Accept: 'text/html' } });
  expect(response.status).toBe(200);
  return (await response.arrayBuffer()).byteLength;
}

describe('a page is under 200 kB:', () => {
  it('a history of the longest reports, and its machine', async () => {
    const name = (sign: string) => sign.repeat(120);
    const regions = Array.from(
      { length: 20 },
      (_, i) => `  r${i}: {initial: ${name('a')}, states: {${name('a')}: {}}}`,
    );
    const on = `{update: {target: ${name('s')}, reenter: true}}`;
    const address = await newChart(
      `initial: ${name('s')}\nstates:\n ${name('s')}:\n  type: parallel\n  on: ${on}\n  states:\n ${regions.join('\n ')}\n`,
    );
    const data = { text: '<'.repeat(4_000) };
    for (let i = 0; i < 100; i++) {
      const response = await put(address, name('s'), { by: `${'<'.repeat(250)}${i}`, data });
      expect(response.status).toBe(200);
    }
    expect(await bytesOf(`/${address}/history`)).toBeLessThan(MOST);
    expect(await bytesOf(`/${address}/history?limit=1000`)).toBeLessThan(MOST);
    expect(await bytesOf(`/${address}`)).toBeLessThan(MOST);
  });

  it(`a machine with ${MEMBERS} members`, async () => {
    const address = await newChart(
      'initial: a\nstates:\n  a: {slots: 50%, on: {update: {target: b, quorum: 95%}, fail: {target: c, quorum: 5%}}}\n  b: {}\n  c: {}\n',
    );
    const list = Array.from(
      { length: MEMBERS },
      (_, i) => `host-${i}.a-long-domain.example.com zone=z${i % 3}`,
    );
    const answer = await send('PUT', `/${address}/members`, {
      body: list.join('\n'),
      headers: { 'Content-Type': 'text/plain' },
    });
    expect(answer.status).toBe(200);
    expect(await bytesOf(`/${address}`)).toBeLessThan(MOST);
  });
});
