/** The log of requests. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { send } from '../service.ts';
import { GUARDED, sendWith, tokenWith } from '../tokens.ts';

const log = vi.spyOn(console, 'log').mockImplementation(() => {});
afterEach(() => {
  log.mockClear();
});

function lines(): unknown[] {
  return log.mock.calls.map(([line]) => JSON.parse(String(line)));
}

const address = await newChart(sequence(counting('a', 'b', 5), final('b')));

describe('a request', () => {
  it('is logged as a line with the caller, the request and the status', async () => {
    const token = await tokenWith({ sub: 'ci' });
    const headers = { Authorization: `Bearer ${token}` };
    const bindings = { ...GUARDED, LOG: 'requests' };
    await sendWith(bindings, 'PUT', `/${address}/state?state=a&by=web-01`, { headers });
    await sendWith(bindings, 'GET', `/${address}/state?state=b`);
    expect(lines()).toEqual([
      {
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        machine: address,
        method: 'PUT',
        path: `/${address}/state`,
        state: 'a',
        by: 'web-01',
        sub: 'ci',
        status: 200,
        ms: expect.any(Number),
        revision: 2,
      },
      expect.objectContaining({ machine: address, method: 'GET', state: 'b', status: 401 }),
    ]);
    expect(JSON.stringify(log.mock.calls)).not.toContain(token);
  });

  it('is not logged by default', async () => {
    await send('GET', `/${address}/state?state=a`);
    expect(lines()).toEqual([]);
  });

  it('is one line, whatever it contains', async () => {
    const path = `/${address}/state?state=${encodeURIComponent('a\n{"status":200}')}`;
    await sendWith({ LOG: 'requests' }, 'GET', path);
    expect(log.mock.calls).toHaveLength(1);
    expect(String(log.mock.calls[0]?.[0])).not.toContain('\n');
  });
});
