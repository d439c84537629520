/** The variables for the location of objects; unknown names are refused. */
import { describe, expect, it, vi } from 'vitest';
import { counting, final, newChart, sequence } from '../charts.ts';
import { problemOf, tracesOf } from '../service.ts';
import { sendWith } from '../tokens.ts';

const chart = sequence(counting('a', 'b'), final('b'));

describe('a location', () => {
  it('is used when a machine is made, and each time it is called', async () => {
    const address = await newChart(chart);
    for (const status of [200, 406]) {
      const response = await sendWith({ LOCATION: 'weur' }, 'PUT', `/${address}/state?state=a`);
      expect(response.status).toBe(status);
    }
  });

  it.each([{ LOCATION: 'europe' }, { JURISDICTION: 'EU' }, { LOCATION: 'weur', JURISDICTION: 'moon' }])(
    'is refused before any object is called: %o',
    async (bindings) => {
      const address = await newChart(chart);
      for (const path of [`/${address}/state?state=a`, `/${address.split('/')[0]}`, '/healthz']) {
        const response = await sendWith(bindings, 'GET', path);
        expect(response.status).toBe(503);
        const [wrong] = Object.keys(bindings).slice(-1);
        expect(await problemOf(response)).toMatchObject({
          type: 'urn:stateservice:problem:not-set-up',
          detail: expect.stringContaining(`The variable ${wrong} must be one of `),
        });
      }
    },
  );

  it('in a jurisdiction fails in workerd, which has none, and the machine is not made elsewhere', async () => {
    const address = await newChart(chart);
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const response = await sendWith({ JURISDICTION: 'eu' }, 'PUT', `/${address}/state?state=a`);
    expect(response.status).toBe(500);
    expect(String(logged.mock.calls[0]?.[1])).toContain('Jurisdiction restrictions are not implemented');
    logged.mockRestore();
    expect((await tracesOf(address)).tables).toEqual([]);
  });
});
