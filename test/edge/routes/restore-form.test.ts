/** The form that puts a machine back to a moment. `../../objects/restore.test.ts` tests restores. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Right } from '../../../src/grant.ts';
import { counting, final, newAddress, newChart, sequence } from '../../charts.ts';
import { moment, platform, removeStandIn } from '../../objects/restoring.ts';
import { report, send, statusOf, tracesOf } from '../../service.ts';
import { sendAs, tokenFor } from '../../tokens.ts';

afterEach(removeStandIn);

const HTML = { Accept: 'text/html' };
const drain = sequence(counting('drain', 'patch', 3), counting('patch', 'done', 3), final('done'));

/** Sends the form as a browser does. */
async function submit(address: string, at: string, headers: Record<string, string> = HTML) {
  const response = await send('POST', `/${address}/restore?by=ops`, {
    headers,
    body: new URLSearchParams({ at }),
    redirect: 'manual',
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A moment as people write it. */
function written(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC');
}

describe('the form of a restore', () => {
  it('takes a moment in UTC, however it is written', async () => {
    const address = await newChart(drain);
    const iso = new Date(Date.now() - 60_000).toISOString();
    const plain = iso.replace('T', ' ').slice(0, 19);
    for (const text of [
      iso,
      iso.slice(0, 16),
      plain,
      `${plain} UTC`,
      ` ${plain}Z `,
      `${iso.slice(0, 19)}+00:00`,
    ])
      expect([text, (await submit(address, text)).status]).toEqual([text, 501]);
  });

  it('is refused at once, however many spaces are in it: a form of 700 kB took minutes, and all requests with it', async () => {
    const address = await newChart(drain);
    const plain = new Date(Date.now() - 60_000).toISOString().replace('T', ' ').slice(0, 19);
    const spaces = ' '.repeat(700_000);
    expect((await submit(address, `1${spaces}1`)).status).toBe(400);
    expect((await submit(address, `${plain}${spaces}UTC`)).status).toBe(501);
  });

  it('puts the machine back, and leads to its page', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const at = await moment(address);
    await report(address, 'drain');
    const { status, headers } = await submit(address, written(at));
    expect([status, headers.get('Location')]).toEqual([303, `/${address}`]);
    expect(platform().calls).toContain('onNextSessionRestoreBookmark');
    const { history } = await (await send('GET', `/${address}/history?limit=1`)).json<{
      history: unknown[];
    }>();
    expect(history).toMatchObject([{ cause: 'restore', by: 'ops' }]);
  });

  it('is shown again with what is wrong: no moment, or one at which there was no machine', async () => {
    const address = await newChart(drain);
    const wrong = await submit(address, 'yesterday');
    expect(wrong.status).toBe(400);
    expect(wrong.text).toMatch(/value="yesterday".*must be a moment of the last 30 days/s);
    await report(address, 'drain');
    await moment(address);
    const early = await submit(address, written(Date.now() - 60_000));
    expect(early.status).toBe(404);
    expect(early.text).toMatch(/There was no machine at .* Nothing has changed\./);
  });

  it('says on a page of its own that a platform cannot do it, and what can be done instead', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const before = await statusOf(address);
    const headers = { ...HTML, Referer: `https://service.test/${address}/restore` };
    const { status, text } = await submit(address, written(Date.now() - 1), headers);
    expect(status).toBe(501);
    expect(text).toContain('A machine can be restored on Cloudflare only');
    expect(text).toContain('What you can do instead');
    expect(text).toContain(`href="/${address}"`);
    expect(text).not.toContain('Try again');
    expect(await statusOf(address)).toEqual(before);
  });

  it('offers the moments before the newest changes, and what a link fills in', async () => {
    const address = await newChart(drain);
    await report(address, 'drain');
    const page = await (await send('GET', `/${address}/restore`, { headers: HTML })).text();
    const [, at = ''] = /<a href="\?at=([^"]+)">/.exec(page) ?? [];
    const { history } = await (await send('GET', `/${address}/history?limit=1`)).json<{
      history: readonly { at: string }[];
    }>();
    expect(Date.parse(at)).toBe(Date.parse(history[0]?.at ?? '') - 1);
    const filled = await (await send('GET', `/${address}/restore?at=${at}`, { headers: HTML })).text();
    expect(filled).toContain(`value="${at}"`);
  });

  it('is there for a run that was deleted, and leaves nothing behind', async () => {
    const address = `${await newChart(drain)}@1`;
    await report(address, 'drain');
    await send('DELETE', `/${address}`);
    const response = await send('GET', `/${address}/restore`, { headers: HTML });
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringContaining('Put the machine back'),
    ]);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
  });

  it('is the page of a 404 where there is no chart, which says how a deleted machine is put back', async () => {
    const address = newAddress();
    const response = await send('GET', `/${address}/restore`, { headers: HTML });
    const text = await response.text();
    expect(response.status).toBe(404);
    expect(text).toContain('<h1>There is no chart here</h1>');
    expect(text).not.toContain('<form method="post" action');
    expect(text).toContain(`curl -X POST &#39;https://service.test/${address}/restore?at=MOMENT&#39;`);
    expect(await tracesOf(address)).toEqual({ tables: [], alarm: null });
    // As of any other page, and without the restore.
    const other = await (await send('GET', `/${address}/history`, { headers: HTML })).text();
    expect(other).toContain('<h1>There is no chart here</h1>');
    expect(other).not.toContain('MOMENT');
  });

  it('is for administrators alone, on the page of the machine too', async () => {
    const address = await newChart(drain);
    const seen = async (path: string, ...can: Right[]) => {
      const response = await sendAs(await tokenFor(address, ...can), 'GET', path, { headers: HTML });
      return [response.status, (await response.text()).includes(`href="/${address}/restore"`)];
    };
    expect(await seen(`/${address}`, 'read', 'update', 'operate')).toEqual([200, false]);
    expect(await seen(`/${address}`, 'read', 'admin')).toEqual([200, true]);
    expect((await seen(`/${address}/restore`, 'read', 'update', 'operate'))[0]).toBe(403);
    expect((await seen(`/${address}/restore`, 'admin'))[0]).toBe(200);
  });

  it('is refused from a page of another site', async () => {
    const address = await newChart(drain);
    const headers = { ...HTML, Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' };
    expect((await submit(address, written(Date.now() - 1), headers)).status).toBe(403);
  });
});
