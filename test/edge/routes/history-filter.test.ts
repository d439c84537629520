/** The history by who, event, state and time, for programs and as a page. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { HistoryShape } from '../../../src/edge/contract/document-shapes.ts';
import { fitsFilter } from '../../../src/store/history-filter.ts';
import { newChart } from '../../charts.ts';
import { beginAtNoon, NOON } from '../../noon.ts';
import { type HistoryDocument, historyOf, problemOf, send } from '../../service.ts';

const CHART = `
type: parallel
states:
  eu: {initial: drain, states: {drain: {on: {update: deploy, fail: {actions: {assign: {n: 1}}}}}, deploy: {}}}
  us: {initial: drain, states: {drain: {on: {update: deploy}}, deploy: {}}}
`;
const BROWSER = 'text/html,*/*;q=0.8';

beginAtNoon();
let address = '';

/** Starts, then an hour apart: a failure, a pause, and a report to each region. */
beforeEach(async () => {
  address = await newChart(CHART);
  const steps = [
    'PUT /state?state=eu.drain&event=fail&by=web-01',
    'POST /pause?by=ann&reason=lunch',
    'PUT /state?state=eu.drain&by=web-02',
    'PUT /state?state=us.drain&by=web-01',
  ];
  await send('POST', `/${address}/reset`);
  for (const [hour, step] of steps.entries()) {
    vi.setSystemTime(NOON + (hour + 1) * 3_600_000);
    const [method = '', path = ''] = step.split(' ');
    expect((await send(method, `/${address}${path}`)).ok).toBe(true);
  }
});

async function read(query = '') {
  return HistoryShape.parse(await historyOf(address, query));
}

async function found(query: string): Promise<string[]> {
  const { history } = await read(query);
  return history.map(({ cause, event, state }) => [cause, event, state].filter(Boolean).join(' '));
}

describe('a filter of the history', () => {
  it.each([
    ['?by=web-01', ['update update us.drain', 'update fail eu.drain']],
    ['?event=fail', ['update fail eu.drain']],
    ['?event=pause', ['pause']],
    ['?state=eu.drain&by=web-02', ['update update eu.drain']],
    ['?state=eu.deploy', ['update update eu.drain']],
    ['?state=eu.dep', []],
    ['?since=90m', ['update update us.drain', 'update update eu.drain']],
    ['?since=2040-06-01T14:00:00Z&until=2040-06-01T15:00:00Z', ['update update eu.drain', 'pause']],
    ['?until=150m&event=fail', ['update fail eu.drain']],
    ['?by=nobody', []],
  ])('%s', async (query, entries) => {
    expect(await found(query)).toEqual(entries);
  });

  it('with nothing in it filters nothing: a form sends its empty fields', async () => {
    expect(await found('?by=&event=&state=&since=&until=')).toEqual(await found(''));
  });

  it('is kept from page to page', async () => {
    const seen: number[] = [];
    let before: number | undefined;
    do {
      const page: HistoryDocument = await historyOf(
        address,
        `?event=update&limit=1${before === undefined ? '' : `&before=${before}`}`,
      );
      seen.push(...page.history.map(({ revision }) => revision));
      before = page.before;
    } while (before !== undefined);
    expect(seen).toHaveLength(3);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
  });

  it('that is no time is refused', async () => {
    const { detail } = await problemOf(await send('GET', `/${address}/history?since=yesterday`));
    expect(detail).toContain('`since` must be a time');
  });

  it('finds the same entries at the edge, for objects that do not know it', async () => {
    const { history } = await read();
    const all = history.map((entry) => ({ ...entry, at: Date.parse(entry.at) }));
    for (const filter of [
      { by: 'web-01' },
      { event: 'pause' },
      { state: 'eu.deploy' },
      { event: 'fail', by: 'ann' },
    ]) {
      const here = all.filter((entry) => fitsFilter(entry, filter)).map(({ revision }) => revision);
      const there = (await historyOf(address, `?${new URLSearchParams(filter)}`)).history;
      expect(there.map(({ revision }) => revision)).toEqual(here);
    }
  });
});

describe('the page of the history', () => {
  const page = async (query: string) =>
    (await send('GET', `/${address}/history${query}`, { headers: { Accept: BROWSER } })).text();

  it('shows what was entered, and the time on the clock with a link to the entry', async () => {
    const text = await page('?event=update&state=eu.deploy');
    expect(text).toContain('<p>→ eu.<wbr/>deploy</p>');
    const [, link = ''] = /<a href="([^"]*)">15:00 UTC, <time/.exec(text) ?? [];
    const [path = '', anchor = ''] = link.replace(`/${address}/history`, '').split('#');
    expect(await page(path)).toMatch(new RegExp(`<tbody><tr [^>]*id="${anchor}"`));
  });

  it('keeps the filter in its form and in the link to older entries', async () => {
    const text = await page('?by=web-01&limit=1');
    expect(text).toContain('name="by" value="web-01"');
    expect(text).toMatch(/href="[^"]*\/history\?by=web-01&amp;before=\d+">Older entries/);
    expect(await page('?by=%3Cb%3E')).not.toContain('<b>');
    expect(await page('?by=nobody')).toContain('No entry matches');
  });

  it('is linked from the machine’s page', async () => {
    const text = await (await send('GET', `/${address}`, { headers: { Accept: BROWSER } })).text();
    expect(text).toContain(`<a class="go" href="/${address}/history">All entries</a>`);
  });
});
