/** Runs each chart of the page on writing charts, and checks the status of each of its requests. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readChart } from '../src/chart/chart.ts';
import { newChart } from './charts.ts';
import { send } from './service.ts';

const pages = import.meta.glob('../docs/writing-charts.md', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const page = Object.values(pages).join('\n');

// Far ahead of the platform's own clock, so that no alarm fires by itself.
const START = Date.parse('2040-06-01T12:00:00Z');
const HOUR = 60 * 60 * 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(START);
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the page on writing charts', () => {
  const steps = [...page.matchAll(/^## (\d+\. [^\n]*)\n.*?^```yaml\n(.*?)^```\n.*?^```http\n(.*?)^```\n/gms)];

  it('has a chart and requests in each step', () => {
    const titles = page.match(/^## \d+\. /gm) ?? [];
    expect(titles.length).toBeGreaterThan(12);
    expect(steps).toHaveLength(titles.length);
    expect(page.match(/^```yaml/gm)).toHaveLength(titles.length);
  });

  it.each(steps.map(([, title = '', chart = '', requests = '']) => ({ title, chart, requests })))(
    'answers as $title says',
    async ({ chart, requests }) => {
      expect(readChart(chart)).toMatchObject({ ok: true, warnings: [] });
      const address = await newChart(chart);
      const answered: string[] = [];
      for (const line of requests.trim().split('\n')) answered.push(await play(line, address));
      expect(answered.join('\n')).toBe(requests.trim());
    },
  );
});

/** Sends the request of a line, with the body that follows it, or moves the clock by its hours. @returns the line with the status of the answer. */
async function play(line: string, address: string): Promise<string> {
  const hours = /^# (\d+)h later$/.exec(line)?.[1];
  if (hours !== undefined) {
    vi.setSystemTime(Date.now() + Number(hours) * HOUR);
    return line;
  }
  const [, before = '', method = '', path = '', body] =
    /^((GET|PUT|POST|PATCH|DELETE) (\S+)(?: (\S.*?))?\s+# )\d{3}$/.exec(line) ?? [];
  const { status } = await send(method, `/${address}${path}`, body === undefined ? {} : { body });
  return `${before}${status}`;
}
