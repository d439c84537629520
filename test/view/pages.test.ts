/** Pages as they are sent: which requests get one, and its content. Their behaviour is tested in a browser. */
import { describe, expect, it } from 'vitest';
import { NAMES_SHOWN } from '../../src/view/format.ts';
import { newAddress, newChart, putChart, removeChart } from '../charts.ts';
import { send } from '../service.ts';
import { sendAs, tokenFor } from '../tokens.ts';

const CHART = 'initial: a\nstates: {a: {on: {update: {target: b, quorum: 2}}}, b: {type: final}}';
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

async function typeOf(path: string, accept?: string): Promise<string | null> {
  const headers = accept === undefined ? {} : { Accept: accept };
  const response = await send('GET', path, { headers });
  expect(response.headers.get('Vary')).toBe('Accept');
  return response.headers.get('Content-Type');
}

describe('a machine and a tenant', async () => {
  const address = await newChart(CHART);

  it.each([`/${address}`, `/${address.split('/')[0]}`])(
    'are a page for a browser, and data for programs: %s',
    async (path) => {
      await send('GET', `/${address}`);
      for (const accept of [BROWSER, 'text/html', 'application/json;q=0.5, text/html']) {
        expect(await typeOf(path, accept)).toBe('text/html;charset=UTF-8');
      }
      for (const accept of [
        undefined,
        '*/*',
        'application/json',
        'application/json, text/html;q=0.5',
        'text/plain',
      ]) {
        expect(await typeOf(path, accept)).toBe('application/json');
      }
    },
  );

  it('cannot be framed, and load only their own files', async () => {
    const response = await send('GET', `/${address}`, { headers: { Accept: BROWSER } });
    expect(response.headers.get('Content-Security-Policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    const text = await response.text();
    expect(text).toMatch(/^<!doctype html><html lang="en">/);
    expect(text).not.toMatch(/<style|<script>|\son\w+="|\sstyle="/);
    for (const path of ['/page.js', '/page.css']) {
      expect(text).toContain(`"${path}"`);
      expect((await send('GET', path)).status).toBe(200);
    }
  });
});

describe('a list of names on a page', () => {
  const MANY = 250;
  const page = async (address: string) =>
    (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();

  it('of holders ends after a hundred, and the buttons have none of them', async () => {
    const address = await newChart(
      `initial: a\nstates: {a: {slots: ${MANY}, on: {update: {target: b, quorum: ${MANY}}}}, b: {}}`,
    );
    for (let i = 0; i < MANY; i++) await send('POST', `/${address}/claims?state=a&by=host-${i}`);
    const text = await page(address);
    expect(text.match(/, lease ends/g)).toHaveLength(NAMES_SHOWN);
    expect(text).not.toContain('data-slots');
    expect(text).toContain(`${MANY} of ${MANY} slots of a`);
    expect(text).toContain(`and ${MANY - NAMES_SHOWN} more`);
  });

  it('of callers ends after a hundred', async () => {
    const address = await newChart(
      `initial: a\nstates: {a: {on: {update: {target: b, quorum: 1000}}}, b: {}}`,
    );
    for (let i = 0; i < NAMES_SHOWN + 1; i++) await send('PUT', `/${address}/state?state=a&by=host-${i}.`);
    const text = await page(address);
    expect(text).toContain(`update at a: ${NAMES_SHOWN + 1} of 1000`);
    expect(text).toMatch(/reported: host-0\., (host-\d+\., ){98}host-\d+\. and 1 more/);
  });
});

describe('a page', () => {
  it('shows whether the windows of the current states are open, and until when', async () => {
    const chart = 'initial: a\nstates: {a: {window: W, on: {update: b}}, b: {}}';
    const pageOf = async (window: string) => {
      const windowed = await newChart(chart.replace('window: W, ', window));
      return (await send('GET', `/${windowed}`, { headers: { Accept: BROWSER } })).text();
    };
    expect(await pageOf('window: {cron: 0 0 * * *, for: 1d}, ')).toMatch(
      /◷ a: open, closes <time [^>]*>in \d+/,
    );
    expect(await pageOf('window: {cron: 0 0 29 2 *, for: 1m}, ')).toMatch(
      /◷ a: closed, opens <time [^>]*>in \d+/,
    );
    expect(await pageOf('')).not.toContain('◷');
  });

  it('is refused as one where there is no machine, under the same status', async () => {
    const response = await send('GET', `/${newAddress()}`, { headers: { Accept: BROWSER } });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([404, 'text/html;charset=UTF-8']);
    expect(await response.text()).toContain('No chart has been put at');
  });

  it('has the buttons that its reader may press', async () => {
    const address = await newChart(CHART);
    const buttons = async (...can: ('read' | 'update' | 'admin')[]) => {
      const headers = { Accept: BROWSER };
      const text = await (
        await sendAs(await tokenFor(address, ...can), 'GET', `/${address}`, { headers })
      ).text();
      return [...text.matchAll(/<button type="button"[^>]* data-method="(\w+)" data-path="([^"]*)"/g)].map(
        ([, method, path = '']) => `${method} ${path.slice(address.length + 1)}`,
      );
    };
    expect(await buttons('read')).toEqual([]);
    expect(await buttons('read', 'update')).toEqual(['PUT /state?state=a&amp;event=update']);
    expect(await buttons('read', 'admin')).toEqual(['POST /reset']);
    expect(await buttons('read', 'update', 'admin')).toHaveLength(2);
  });

  it('shows the beginning and the end of a report’s data, as text', async () => {
    const address = await newChart(CHART);
    const body = JSON.stringify({ note: '<b onclick="x">', log: 'x'.repeat(500), end: 7 });
    await send('PUT', `/${address}/state?state=a&by=a`, { body });
    const text = await (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    const [, shown = ''] = /<p class="soft">(\{.*?)<\/p>/s.exec(text) ?? [];
    expect(shown).toMatch(/^\{&quot;note&quot;:&quot;&lt;b onclick=.*…x+&quot;,&quot;end&quot;:7\}$/);
    expect(text).not.toContain('<b onclick');
    expect(text).not.toContain('x'.repeat(100));
  });

  it('says of each timer which state it leaves, and for which', async () => {
    const address = await newChart(
      'initial: a\nstates:\n  a: {entry: [{raise: {event: ping, delay: 1000000}}], after: {2h: b}, on: {ping: b}}\n  b: {type: final}\n',
    );
    const text = await (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    const [, timers = ''] = /<h2 id="timers">(.*?)<\/section>/s.exec(text) ?? [];
    expect(timers).toContain('<li>ping <time');
    expect(timers).toContain('<li>a → b <time');
  });

  it('at the root says what this is, with the service’s own machine or without', async () => {
    await putChart('default', CHART);
    await send('DELETE', '/');
    const text = await (await send('GET', '/', { headers: { Accept: BROWSER } })).text();
    expect(text).toContain('A state machine as a service');
    expect(text).toContain('curl -sf -X PUT &#39;https://service.test/state?state=a&amp;by=me&#39;');
    expect(text).toContain('data-watch="/watch"');
    await send('DELETE', '/');
    await removeChart('default');
  });
});

describe('a tenant’s page', () => {
  it('is filtered by the query', async () => {
    const address = await newChart(CHART);
    const [tenant = '', chart = ''] = address.split('/');
    await send('GET', `/${address}`);
    await send('PUT', `/${address}@done/state?state=a&by=a`);
    await send('PUT', `/${address}@done/state?state=a&by=b`);
    const rows = async (query: string) => {
      const response = await send('GET', `/${tenant}?chart=${chart}&${query}`, {
        headers: { Accept: BROWSER },
      });
      return [...(await response.text()).matchAll(/<td><a href="\/([^"]+)"/g)].map(([, name]) => name);
    };
    expect(await rows('')).toEqual([address, `${address}@done`]);
    expect(await rows('state=b')).toEqual([`${address}@done`]);
    expect(await rows('q=DONE')).toEqual([`${address}@done`]);
    expect(await rows('q=nothing')).toEqual([]);
  });
});
