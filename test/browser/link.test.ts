/** A link in Chromium: two people approve, each by a link, over addresses with and without Fetch Metadata. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { cleanUp, type Server, startServer } from '../process/server.ts';
import { expectAccessibleIn, WINDOWS } from './accessible.ts';
import { closeBrowser, openPage } from './browser.ts';
import { put } from './pages.ts';

afterEach(cleanUp);
afterAll(closeBrowser);

const RUN = '/acme/approval@1';

/** Starts a server with a run that waits for two approvals. */
async function waiting(flags: readonly string[] = []): Promise<Server> {
  const server = await startServer({ charts: 'charts', flags });
  await put(server, `${RUN}/state?state=build`);
  return server;
}

/** Makes a link. @returns its path. */
async function linkFor({ url }: Server, by: string): Promise<string> {
  const response = await fetch(`${url}${RUN}/links?state=waiting&event=approve&by=${by}`, { method: 'POST' });
  if (response.status !== 201) throw new Error(await response.text());
  return response.headers.get('Location') ?? '';
}

describe('a person with a link', () => {
  it('opens it, presses the button, and sees that it counts; so does a second one', async () => {
    const server = await waiting();
    for (const [by, result] of [
      ['anna', 'Now: 1 of 2.'],
      ['ben', 'Current state: deploy'],
    ] as const) {
      const { page, faults } = await openPage(`${server.url}${await linkFor(server, by)}`);
      await page.getByText(`You send approve to the state waiting of acme/approval@1, as ${by}.`).waitFor();
      await page.getByRole('button', { name: 'Send approve' }).click();
      await page.getByRole('heading', { name: 'Done' }).waitFor();
      await page.getByText(result).waitFor();
      expect(await page.getByRole('button').count()).toBe(0);
      await page.goto(page.url());
      await page.getByRole('heading', { name: 'Already done' }).waitFor();
      expect(faults).toEqual([]);
    }
  });

  it('needs no JavaScript', async () => {
    const server = await waiting();
    const link = await linkFor(server, 'anna');
    const { page } = await openPage(`${server.url}${link}`, { javaScriptEnabled: false });
    await page.getByRole('button', { name: 'Send approve' }).click();
    await page.getByText('Now: 1 of 2.').waitFor();
  });

  it('can use it over http:// too, where browsers send no Fetch Metadata; no request has it as its referrer', async () => {
    const server = await waiting(['--allow-host', 'state.test']);
    const link = await linkFor(server, 'anna');
    const url = `http://state.test:${new URL(server.url).port}`;
    const { page } = await openPage(`${url}${link}`);
    const sent: Record<string, string>[] = [];
    page.on('request', async (request) => sent.push(await request.allHeaders()));
    await page.getByRole('button', { name: 'Send approve' }).click();
    await page.getByText('Now: 1 of 2.').waitFor();
    expect(sent.length).toBeGreaterThan(0);
    expect(sent[0]).toMatchObject({ origin: url });
    expect(sent[0]).not.toHaveProperty('sec-fetch-site');
    for (const headers of sent) expect(headers.referer ?? '').not.toContain('links');
  });
});

describe('the pages of a link', () => {
  it.each(WINDOWS)('pass axe-core, and fit their window: %s', async (_, options, colours) => {
    const server = await waiting();
    const [used, next] = [await linkFor(server, 'anna'), await linkFor(server, 'ben')];
    await fetch(`${server.url}${used}`, { method: 'POST' });
    const watched = await openPage(server.url, options);
    for (const path of [next, used, `${used}x`]) {
      await watched.page.goto(`${server.url}${path}`);
      await expectAccessibleIn(colours, watched);
    }
  });
});
