/** Drawings of a part of a chart: idle states are folded, and the inside of one state is drawn on request. */
import { describe, expect, it } from 'vitest';
import { DRAWN_STATES, FOLDED_FROM } from '../../src/limits.ts';
import { newChart } from '../charts.ts';
import { put } from '../objects/callers.ts';
import { bodyOf, problemOf, send } from '../service.ts';
import { generatedCharts } from './generated-charts.ts';

const textOf = (wanted: string) => generatedCharts().find(({ name }) => name === wanted)?.text ?? '';

const SMALL = `
initial: a
states:
  a: {initial: b, states: {b: {on: {update: c, out: '#d'}}, c: {on: {fail: '#e', out: '#d'}}}, on: {stop: d}}
  d: {id: d, initial: f, states: {e: {id: e, type: final}, f: {}}, on: {back: a.c}}
`;

async function drawn(address: string, query = '') {
  const svg = await bodyOf(await send('GET', `/${address}/diagram.svg${query}`));
  const [, width = '', height = ''] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  return {
    states: [...svg.matchAll(/data-state="([^"]*)"/g)].map(([, name = '']) => name),
    captions: [...svg.matchAll(/<text class="caption"[^>]*>(.*?)<\/text>/g)].map(([, text = '']) => text),
    arrows: [...svg.matchAll(/<path class="arrow"/g)].length,
    screens: (Number(width) * Number(height)) / (1280 * 800),
    svg,
  };
}

describe('a drawing', () => {
  it('draws everything of a small chart, and folds idle states on request', async () => {
    const address = await newChart(SMALL);
    expect((await drawn(address)).states).toEqual(['a', 'd', 'a.b', 'a.c', 'e', 'd.f']);
    const { states, captions, arrows, svg } = await drawn(address, '?idle=folded');
    expect(states).toEqual(['a', 'd', 'a.b', 'a.c']);
    expect(captions).toContain('▸ 2 states');
    // Two dots; b to c, b to d, c to d for both of its transitions, a to d, d to c.
    expect(arrows).toBe(2 + 5);
    expect(svg).not.toMatch(/<a |href=/);
  });

  it('draws the inside of one state', async () => {
    const address = await newChart(SMALL);
    expect((await drawn(address, '?in=d')).states).toEqual(['d', 'e', 'd.f']);
    const page = await bodyOf(await send('GET', `/${address}?in=d`, { headers: { Accept: 'text/html' } }));
    expect(page).toContain('inside d');
  });

  it.each(['?in=nobody', '?in=a.b', '?idle=maybe'])('refuses what the chart has not: %s', async (query) => {
    const response = await send('GET', `/${await newChart(SMALL)}/diagram.svg${query}`);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).type).toBe('urn:stateservice:problem:wrong-parameter');
  });

  it('names the parameter that is wrong, and its values', async () => {
    const response = await send('GET', `/${await newChart(SMALL)}/diagram.svg?idle=maybe`);
    expect((await problemOf(response)).detail).toBe('`idle` must be one of open, folded.');
  });

  it('of 200 states folds idle ones, fits on three screens, and opens what becomes current', async () => {
    const address = await newChart(textOf('nested 200, phases'));
    const { states, screens } = await drawn(address);
    expect(states).toContain('phase_0.step_1');
    expect(states).not.toContain('phase_1.step_1');
    expect(states.length).toBeLessThan(FOLDED_FROM);
    expect(screens).toBeLessThan(3);
    for (let step = 0; step < 9; step++) await put(address, `phase_0.step_${step}`);
    const later = await drawn(address);
    expect(later.states).toContain('phase_1.step_1');
    expect(later.states).not.toContain('phase_0.step_1');
    expect((await drawn(address, '?idle=open')).states).toHaveLength(203);
  });

  it('has at most DRAWN_STATES states: beyond it, inner ones are drawn on request', async () => {
    const address = await newChart(textOf('1,000 in phases'));
    const { states } = await drawn(address, '?idle=open');
    expect(states.length).toBeLessThanOrEqual(DRAWN_STATES);
    expect(states).toContain('phase_59');
    expect((await drawn(address, '?in=phase_59')).states).toHaveLength(16);
  });
});
