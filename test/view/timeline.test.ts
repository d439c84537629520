/** `timeline.svg`: the visits of a machine's states over time. */
import { describe, expect, it, vi } from 'vitest';
import { TIMELINE_VISITS } from '../../src/limits.ts';
import { atOnce } from '../../src/sliced.ts';
import { type Move, timelineOf } from '../../src/view/timeline.ts';
import { drawTimeline } from '../../src/view/timeline-svg.ts';
import { newAddress, newChart } from '../charts.ts';
import { beginAtNoon, NOON } from '../noon.ts';
import { put } from '../objects/callers.ts';
import { send } from '../service.ts';

const MINUTE = 60_000;
const CHART = `
initial: canary
states:
  canary: {on: {update: {target: fleet, quorum: 2}, fail: back}}
  fleet:
    type: parallel
    states:
      eu: {initial: drain, states: {drain: {on: {update: done}}, done: {type: final}}}
      us: {}
  back: {type: final, tags: [failed]}
`;

beginAtNoon();

async function svgOf(address: string): Promise<string> {
  const response = await send('GET', `/${address}/timeline.svg`);
  if (response.status !== 200) throw new Error(`the status is ${response.status}`);
  return response.text();
}

/** The rows: the name of each state, what its row says, and its bars. */
function rowsOf(svg: string): [string, string, string[]][] {
  const found = svg.matchAll(
    /<g><title>([^<]*)<\/title><text[^>]*>[^<]*<\/text><text[^>]*>([^<]*)<\/text><rect class="track"[^>]*>(.*?)<\/g>/g,
  );
  return [...found].map(([, name = '', says = '', bars = '']) => [
    name,
    says,
    [...bars.matchAll(/<rect class="([^"]*)"[^>]*><title>([^<]*)/g)].map(
      ([, kind = '', title]) => `${kind.trim()}: ${title}`,
    ),
  ]);
}

describe('a timeline', () => {
  it('has a row for each state in the order of the chart, with its visits', async () => {
    const address = await newChart(CHART);
    await send('GET', `/${address}`);
    vi.setSystemTime(NOON + 10 * MINUTE);
    await put(address, 'canary', { by: 'a' });
    await put(address, 'canary', { by: 'b' });
    vi.setSystemTime(NOON + 30 * MINUTE);
    await put(address, 'fleet.eu.drain', { by: 'a' });
    vi.setSystemTime(NOON + 40 * MINUTE);
    expect(rowsOf(await svgOf(address))).toEqual([
      ['canary', '10m', ['visit: 12:00 UTC to 12:10 UTC, 10m']],
      ['fleet', '● now, 30m', ['visit open: 12:10 UTC to now, 30m']],
      ['fleet.eu', '● now, 30m', ['visit open: 12:10 UTC to now, 30m']],
      ['fleet.eu.drain', '20m', ['visit: 12:10 UTC to 12:30 UTC, 20m']],
      ['fleet.eu.done', '● now, 10m', ['visit end: 12:30 UTC to now, 10m']],
      ['fleet.us', '● now, 30m', ['visit open: 12:10 UTC to now, 30m']],
      ['back', 'not entered', []],
    ]);
  });

  it('marks pauses, moves by hand and failures, and ends where the machine has ended', async () => {
    const address = await newChart(CHART);
    await send('GET', `/${address}`);
    await send('POST', `/${address}/pause?reason=lunch`);
    vi.setSystemTime(NOON + 5 * MINUTE);
    await send('POST', `/${address}/resume`);
    await send('POST', `/${address}/override?to=back&reason=late`);
    vi.setSystemTime(NOON + 600 * MINUTE);
    const svg = await svgOf(address);
    expect(svg).toContain('<title>Paused 12:00 UTC to 12:05 UTC, 5m</title>');
    expect(rowsOf(svg).at(-1)).toEqual([
      'back',
      '● now, ✗ failed, by hand, 9h 55m',
      ['visit bad hand: 12:05 UTC to now, 9h 55m, moved by hand'],
    ]);
    expect(svg).toContain('now, 9h 55m after the end');
    // The pause is most of the picture, and not what came after the end.
    const [, width = ''] = /<rect class="pause" x="2%" y="\d+" width="([\d.]+)%"/.exec(svg) ?? [];
    expect(Number(width)).toBeGreaterThan(75);
  });

  it('is drawn of a run that has not begun, and writes nothing', async () => {
    const address = `${await newChart(CHART)}@1`;
    expect(rowsOf(await svgOf(address))[0]).toEqual([
      'canary',
      '● now, 0s',
      ['visit open: before 12:00 UTC to now, 0s'],
    ]);
    expect((await send('GET', `/${newAddress()}/timeline.svg`)).status).toBe(404);
  });

  it('loads nothing, has its text alternatives, and is on the page of the history', async () => {
    const address = await newChart(CHART);
    const svg = await svgOf(address);
    expect(svg).toMatch(/role="img" aria-labelledby="timeline-title timeline-description"/);
    expect(svg).toContain(`<title id="timeline-title">Timeline of ${address}</title>`);
    expect(svg).toContain('Current: canary.');
    expect(svg).not.toMatch(/href|<script|url\(/);
    const headers = { Accept: 'text/html' };
    const page = async (query = '') => (await send('GET', `/${address}/history${query}`, { headers })).text();
    expect(await page()).toContain('class="diagram timeline"');
    expect(await page('?by=me')).not.toContain('class="diagram timeline"');
  });

  it('leaves out plain reports, and says if older changes are missing', async () => {
    const address = await newChart('initial: a\nstates: {a: {on: {update: {target: b, quorum: 30}}}, b: {}}');
    for (let i = 0; i < 30; i++) await put(address, 'a');
    expect(rowsOf(await svgOf(address)).map(([name, , bars]) => [name, bars.length])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    const moves = Array.from({ length: 1_000 }, (_, i) => move(i, [i % 2 ? 'b' : 'a'], [i % 2 ? 'a' : 'b']));
    const svg = draw(moves.reverse());
    expect(svg).toContain('What came before is not drawn; the history has it.');
    expect(svg.match(/<rect class="visit/g)).toHaveLength(TIMELINE_VISITS);
  });
});

describe('the worst timeline', () => {
  it('is under 200 kB', () => {
    const name = (i: number) => `${String(i).padStart(3, '0')}${'x'.repeat(125)}`;
    const names = Array.from({ length: 256 }, (_, i) => name(i));
    const moves = Array.from({ length: 500 }, (_, i) => move(i, names, names, names));
    const svg = draw(moves.reverse(), names);
    expect(svg.length).toBeLessThan(200_000);
    expect(svg).toContain('156 more states are not drawn.');
  });
});

function move(
  i: number,
  from: readonly string[],
  to: readonly string[],
  entered: readonly string[] = to,
): Move {
  return { at: NOON + i * 1_000, cause: 'update', from, to, entered };
}

function draw(moves: readonly Move[], names: readonly string[] = ['a', 'b']): string {
  const now = NOON + 3_600_000;
  const source = { moves, hasMore: false, pausedSince: undefined, states: [], now };
  const timeline = timelineOf({ ...source, most: TIMELINE_VISITS });
  const states = names.map((name) => ({ name, label: name, depth: 0, isFailed: false, isFinal: false }));
  return atOnce(drawTimeline(timeline, states, { title: 'acme/x', isDone: false, now }));
}
