import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { DEFAULT } from '../../src/address.ts';
import { readChart } from '../../src/chart/chart.ts';
import { findChart } from '../../src/objects/catalog.ts';
import { putChart } from '../charts.ts';

const bundle = { CHARTS: env.BUNDLE };
const files = import.meta.glob('../../charts/**/*.yaml', { query: '?raw', import: 'default', eager: true });

describe('the folder of charts', () => {
  it('holds the chart of the service itself', async () => {
    const found = await findChart(bundle, DEFAULT);
    expect(found).toMatchObject({ origin: 'bundle', text: files['../../charts/default.yaml'] });
  });

  it('holds the charts of tenants, in folders of their own', async () => {
    const found = await findChart(bundle, { tenant: 'acme', chart: 'release' });
    expect(found).toMatchObject({ origin: 'bundle', text: files['../../charts/acme/release.yaml'] });
  });

  it('gives a run the chart of its chart', async () => {
    const chart = await findChart(bundle, { tenant: 'acme', chart: 'release' });
    const run = await findChart(bundle, { tenant: 'acme', chart: 'release', run: '42' });
    expect(run).toEqual(chart);
  });

  it.each([
    { tenant: 'acme', chart: 'nothing' },
    { tenant: 'nobody', chart: 'release' },
    { tenant: 'acme', chart: 'release.yaml' },
    { tenant: 'constructor', chart: 'toString' },
  ])('has no chart without a file: $tenant/$chart', async (address) => {
    expect(await findChart(bundle, address)).toBeUndefined();
  });

  it('is not taken for empty if it cannot be read', async () => {
    const broken = { fetch: async () => new Response('', { status: 503 }) };
    const found = findChart({ CHARTS: { ...env.CHARTS, ...broken } }, { tenant: 'acme', chart: 'release' });
    await expect(found).rejects.toThrow('503');
  });

  it('may be absent', async () => {
    expect(await findChart({}, DEFAULT)).toBeUndefined();
    expect(await findChart({}, { tenant: 'acme', chart: 'release' })).toBeUndefined();
  });

  it.each(Object.entries(files))('has no chart that is wrong or doubtful: %s', (_, text) => {
    expect(readChart(text)).toMatchObject({ ok: true, warnings: [] });
  });
});

describe('the CHART binding', () => {
  it('comes before the folder, for the service’s own chart', async () => {
    const found = await findChart({ ...bundle, CHART: 'current_state: a' }, DEFAULT);
    expect(found).toMatchObject({ origin: 'binding', text: 'current_state: a' });
  });

  it('is for no other chart', async () => {
    const found = await findChart({ ...bundle, CHART: 'x' }, { tenant: 'acme', chart: 'release' });
    expect(found).toMatchObject({ origin: 'bundle' });
    expect(await findChart({ ...bundle, CHART: 'x' }, { tenant: 'a', chart: 'default' })).toBeUndefined();
  });

  it('counts as absent if it is empty', async () => {
    expect(await findChart({ ...bundle, CHART: '' }, DEFAULT)).toMatchObject({ origin: 'bundle' });
  });
});

describe('a chart’s hash', () => {
  it('is the SHA-256 of its text', async () => {
    const found = await findChart({ CHART: 'abc' }, DEFAULT);
    expect(found?.hash).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('is the same for any origin of the text', async () => {
    await putChart('catalog/same', 'é: 1');
    const fromFolder = await findChart(env, { tenant: 'catalog', chart: 'same' });
    const fromBinding = await findChart({ CHART: 'é: 1' }, DEFAULT);
    expect(fromFolder?.hash).toBe(fromBinding?.hash);
  });
});
