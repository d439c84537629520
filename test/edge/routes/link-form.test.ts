/** The form that makes a link for a person. `../links.test.ts` tests links. */
import { describe, expect, it } from 'vitest';
import { newChart } from '../../charts.ts';
import { send } from '../../service.ts';
import { sendAs, tokenFor, tokenWith } from '../../tokens.ts';

const CHART = `initial: a
states: {a: {on: {approve: {target: b, quorum: 2}, reject: b}}, b: {type: final}}
`;
const HTML = { Accept: 'text/html' };

async function submit(path: string, fields: Readonly<Record<string, string>>) {
  const response = await send('POST', path, { headers: HTML, body: new URLSearchParams(fields) });
  return { status: response.status, text: await response.text() };
}

describe('the form of a link', () => {
  it('offers the events of the current states, on the page of the machine too', async () => {
    const address = await newChart(CHART);
    const text = await (await send('GET', `/${address}/links`, { headers: HTML })).text();
    const options = [...text.matchAll(/<option value="(\w+)"/g)].map(([, word]) => word);
    expect(options).toEqual(['a', 'approve', 'reject']);
    const pageFor = async (...can: ('read' | 'update')[]) =>
      (await sendAs(await tokenFor(address, ...can), 'GET', `/${address}`, { headers: HTML })).text();
    expect(await pageFor('read', 'update')).toContain(`href="/${address}/links"`);
    expect(await pageFor('read')).not.toContain('/links');
    await send('PUT', `/${address}/state?state=a&event=reject`);
    expect(await (await send('GET', `/${address}/links`, { headers: HTML })).text()).toContain(
      'No current state takes an event.',
    );
  });

  it('shows the link, which reports', async () => {
    const address = await newChart(CHART);
    const fields = { state: 'a', event: 'approve', by: 'anna', ttl: '' };
    const { status, text } = await submit(`/${address}/links`, fields);
    expect(status).toBe(201);
    const [, url = ''] = /<pre tabindex="0" class="link">\s*(https:[^<\s]+)/.exec(text) ?? [];
    const { pathname } = new URL(url);
    expect((await send('POST', pathname)).status).toBe(200);
    expect(await (await send('GET', `/${address}`)).json()).toMatchObject({
      quorums: [{ event: 'approve', have: 1, by: ['anna'] }],
    });
  });

  it('is shown again with what is wrong, and what was typed', async () => {
    const address = await newChart(CHART);
    const late = await submit(`/${address}/links`, { state: 'a', event: 'reject', by: 'anna', ttl: '8d' });
    expect(late.status).toBe(400);
    expect(late.text).toContain('`ttl` must be a duration from 1s to 7d');
    expect(late.text).toContain('value="8d"');
    expect(late.text).toContain('<option value="reject" selected="">');
    const unknown = await submit(`/${address}/links`, { state: 'c', by: 'anna' });
    expect(unknown.status).toBe(406);
  });

  it('has the only name that the token of its reader allows', async () => {
    const address = await newChart(CHART);
    const token = await tokenWith({ by: 'web-01' });
    const page = await sendAs(token, 'GET', `/${address}/links`, { headers: HTML });
    expect(await page.text()).toMatch(/<input name="by" value="web-01" readonly/);
    const body = new URLSearchParams({ state: 'a', event: 'reject', by: 'anna' });
    const refused = await sendAs(token, 'POST', `/${address}/links`, { headers: HTML, body });
    expect([refused.status, (await refused.text()).includes('<h1>')]).toEqual([403, true]);
  });
});
