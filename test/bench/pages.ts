/**
 * `npm run bench:pages`: what the pages take where there is much to show, and what an open page costs a machine that is
 * updated all the time. It starts Chromium.
 */
import { chromium } from 'playwright-core';
import { HISTORY_ROWS } from '../../src/limits.ts';
import { CHROMIUM } from '../browser/executable.ts';
import { CHARTS } from './charts.ts';
import { median } from './compare.ts';
import { measure } from './load.ts';
import { type Servers, serveBoth } from './server.ts';

const STATE = '/state?state=a';
const ROUNDS = 5;
/** The length of each stretch of updates, s, and how many updates are asked for in a second. */
const SECONDS = 8;
const RATE = Number(process.env.RATE ?? 1_000);
const MACHINES = Number(process.env.MACHINES ?? 9_900);

const servers = await serveBoth(CHARTS);
try {
  for (const measured of [underLoad, histories, members, tenants]) console.table(await measured(servers));
} finally {
  await servers.stop();
}

async function histories({ ours }: Servers) {
  const machine = `${ours}/bench/small@history`;
  await fill(HISTORY_ROWS, (i) => `/bench/small@history${STATE}&by=web-${i}`, ours);
  return [
    await paged(`a history of ${HISTORY_ROWS}`, `${machine}/history`),
    await paged('the same, filtered by who is not in it', `${machine}/history?by=nobody`),
    await paged('its timeline', `${machine}/timeline.svg`),
    await paged('its machine', machine),
  ];
}

async function members({ ours }: Servers) {
  const rows = [];
  for (const count of [1_000, 10_000]) {
    const machine = `${ours}/bench/small@members-${count}`;
    await accepted(fetch(`${machine}${STATE}&by=w0`, { method: 'PUT' }));
    const list = Array.from({ length: count }, (_, i) => `w${i} zone=z${i % 3}`).join('\n');
    await accepted(fetch(`${machine}/members`, { method: 'PUT', body: list }));
    rows.push(await paged(`a machine with ${count} members`, machine));
  }
  return rows;
}

async function tenants({ ours }: Servers) {
  await fill(MACHINES, (i) => `/bench/small@m${String(i).padStart(5, '0')}${STATE}`, ours);
  const rows = [];
  for (const query of ['', '?sort=changed&order=desc', '?sort=state', '?q=m0999', '?is=failed', '?state=a'])
    rows.push(
      await paged(`a tenant with ${MACHINES} machines: ${query || 'by address'}`, `${ours}/bench${query}`),
    );
  return rows;
}

/** Sends so many requests, each to its path. */
async function fill(count: number, pathOf: (i: number) => string, url: string): Promise<void> {
  let sent = 0;
  const worker = async () => {
    while (sent < count) await accepted(fetch(url + pathOf(sent++), { method: 'PUT' }));
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

/** Reads a page for a browser: its time, ms, and its bytes. */
async function paged(page: string, url: string) {
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i <= ROUNDS; i++) {
    const begun = performance.now();
    const response = await accepted(fetch(url, { headers: { Accept: 'text/html' } }));
    bytes = response.length;
    // The first one compiles and lays out.
    if (i > 0) times.push(performance.now() - begun);
  }
  return {
    page,
    'median, ms': Math.round(median(times)),
    'worst, ms': Math.round(Math.max(...times)),
    bytes,
  };
}

/** Updates a machine as fast as it is asked for, with an open page and without one, in turn. */
async function underLoad({ ours }: Servers) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const url = `${ours}/bench/small@load`;
  const rates: { readonly alone: number[]; readonly open: number[] } = { alone: [], open: [] };
  const asked: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    rates.alone.push(await updates(`${url}${STATE}`));
    const page = await browser.newPage();
    let requests = 0;
    page.on('request', (request) => {
      if (request.url().startsWith(url)) requests += 1;
    });
    await page.goto(url);
    await page.locator('#connection[data-state="live"]').waitFor();
    requests = 0;
    const begun = performance.now();
    rates.open.push(await updates(`${url}${STATE}`));
    asked.push(requests / ((performance.now() - begun) / 1_000));
    await page.close();
  }
  await browser.close();
  const [alone, open] = [median(rates.alone), median(rates.open)];
  return [
    { figure: `updates a second, of ${RATE} asked for`, value: alone.toFixed(0) },
    { figure: 'the same with an open page', value: open.toFixed(0) },
    { figure: 'ratio (at least 0.9)', value: (open / alone).toFixed(2) },
    { figure: 'requests of the page a second (at most 4)', value: Math.max(...asked).toFixed(1) },
  ];
}

async function updates(url: string): Promise<number> {
  const load = { url, method: 'PUT', connections: 16, body: 'a', rate: RATE } as const;
  return (await measure(load, SECONDS))?.throughput ?? 0;
}

/** @returns the body of an answer that must be a 2xx. */
async function accepted(sent: Promise<Response>): Promise<string> {
  const response = await sent;
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} was answered ${response.status}: ${text}`);
  return text;
}
