/** `GET /openapi.json` and `/openapi`. `../../process/openapi.test.ts` validates the document. */
import { exports } from 'cloudflare:workers';
import { expect, it, vi } from 'vitest';
import { RESOURCES } from '../../../src/edge/app.ts';
import { send } from '../../service.ts';

it('names the origin that it was requested at', async () => {
  for (const origin of ['https://one.test', 'https://two.test:8443', 'https://one.test']) {
    const response = await exports.default.fetch(new Request(`${origin}/openapi.json`));
    expect(await response.json()).toMatchObject({ servers: [{ url: origin }] });
  }
});

it('is made once: anybody may request it, and making it takes 26 ms', async () => {
  for (const path of ['/openapi.json', '/openapi']) {
    const first = await (await send('GET', path)).text();
    const mapped = vi.spyOn(RESOURCES.machine, 'map');
    const flat = vi.spyOn(RESOURCES.machine, 'flatMap');
    expect(await (await send('GET', path)).text()).toBe(first);
    expect([mapped.mock.calls, flat.mock.calls]).toEqual([[], []]);
    vi.restoreAllMocks();
  }
});
