/** The links between the pages. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { newChart } from '../charts.ts';
import { holdDefault, send } from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';

const CHART = 'initial: a\nstates: {a: {on: {update: b}}, b: {type: final}}';
const headers = { Accept: 'text/html' };

/** The paths that a page links to. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/<a [^>]*?href="([^"]*)"/g)].map(([, path = '']) => path.replaceAll('&amp;', '&'));
}

async function linksOn(path: string): Promise<string[]> {
  return linksOf(await (await send('GET', path, { headers })).text());
}

describe('a page links to', () => {
  it('chart, history, timeline, picture and siblings, from a machine', async () => {
    const address = await newChart(CHART);
    const [tenant, chart] = address.split('/');
    const run = `/${address}@1`;
    const links = await linksOn(run);
    for (const path of [`/${tenant}`, `/${address}`, `/${tenant}?chart=${chart}`, '/openapi'])
      expect(links).toContain(path);
    for (const path of ['history', 'timeline.svg', 'chart', 'diagram.svg'])
      expect(links).toContain(`${run}/${path}`);
    for (const path of new Set(links.filter((link) => link.startsWith('/')))) {
      expect([path, (await send('GET', path, { headers })).status]).toEqual([path, 200]);
    }
  });

  it('its machine and its tenant, from a history', async () => {
    const address = await newChart(CHART);
    await send('GET', `/${address}`);
    const links = await linksOn(`/${address}/history`);
    for (const path of [`/${address}`, `/${address.split('/')[0]}`, `/${address}/timeline.svg`])
      expect(links).toContain(path);
  });

  it('the operations, from a path that there is not', async () => {
    expect(await linksOn('/no/such/path/at/all')).toContain('/openapi');
  });

  it('the tenants that the token names and no others, from the root', async () => {
    onTestFinished(await holdDefault(CHART));
    const token = await tokenFor(['default', 'acme/release', 'acme/*', '*/x', 'other/y'], 'read');
    const text = await (await sendAs(token, 'GET', '/', { headers })).text();
    expect(linksOf(text).filter((path) => /^\/[a-z]+$/.test(path) && path !== '/openapi')).toEqual(
      expect.arrayContaining(['/acme', '/other']),
    );
    expect(text).not.toContain('data-go');
    expect(await (await send('GET', '/', { headers })).text()).toContain('data-go');
  });
});
