/** `npm run deploy`, as far as it goes without an account: to the end of wrangler's `--dry-run`. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { afterEach, describe, expect, it } from 'vitest';
import { readCharts } from '../../src/cli/chart-files.ts';
import { readDeployFlags, stageCharts } from '../../src/cli/deploy.ts';
import { fileOf, folderOf, SEQUENCE, STATECHART } from './charts.ts';
import { cleanUp, runCli, startServer, temporaryFolder } from './server.ts';

afterEach(cleanUp);

const FOLDER = { 'default.yaml': STATECHART, 'acme/release.yaml': STATECHART, 'acme/notes.txt': 'no chart' };

describe('the staged folder', () => {
  it('has the chart of --chart as default.yaml, the charts of the folder, and nothing else', async () => {
    const folder = await stage(await fileOf(SEQUENCE), FOLDER);
    const names = await readdir(folder, { recursive: true });
    expect(names.sort()).toEqual(['acme', 'acme/release.yaml', 'default.yaml']);
    expect(await readFile(join(folder, 'default.yaml'), 'utf8')).toBe(SEQUENCE);
    expect(await readFile(join(folder, 'acme/release.yaml'), 'utf8')).toBe(STATECHART);
  });

  it('has the default.yaml of the folder without --chart', async () => {
    const folder = await stage(undefined, FOLDER);
    expect(await readFile(join(folder, 'default.yaml'), 'utf8')).toBe(STATECHART);
  });

  it('is where the Worker finds its charts', async () => {
    const server = await startServer({ charts: await stage(await fileOf(SEQUENCE), FOLDER) });
    for (const path of ['/state?state=drain', '/acme/release/state?state=waiting']) {
      expect((await fetch(`${server.url}${path}`)).status, path).toBe(200);
    }
  });

  async function stage(chart: string | undefined, files: typeof FOLDER): Promise<string> {
    const found = await readCharts(await folderOf(files), chart);
    if (!found.ok) throw new Error(found.lines.join('\n'));
    const folder = await temporaryFolder();
    await stageCharts(folder, found.value.charts);
    return folder;
  }
});

describe('a deploy', { timeout: 120_000 }, () => {
  it('gives wrangler the staged folder, an empty CHART and all other flags', async () => {
    const [chart, charts, out] = [await fileOf(SEQUENCE), await folderOf(FOLDER), await temporaryFolder()];
    const flags = ['--dry-run', '--chart', chart, `--charts=${charts}`, '--outdir', out];
    const { code, stdout, stderr } = await runCli(['deploy', ...flags], { NO_COLOR: '1' });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`/state  ${chart}\n/acme/release/state  ${charts}/acme/release.yaml\n`);
    const [, staged = ''] = /files? from the assets directory (\S+)/.exec(stdout) ?? [];
    expect(staged).toMatch(/\/stateservice-\w+$/);
    expect(existsSync(staged), 'the folder is removed at the end').toBe(false);
    expect(stdout).toMatch(/env\.CHARTS +Assets/);
    // Else `keep_vars` would keep the chart of an earlier `--var CHART:`.
    expect(stdout).toMatch(/env\.CHART \(/);
    expect(await readdir(out)).toContain('index.js');
  });

  it('leaves the variable CHART as it is without --chart', async () => {
    const { code, stdout } = await runCli(['deploy', '--dry-run', '--charts', await folderOf(FOLDER)]);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/env\.CHART \(/);
  });

  it('is refused with every error of an invalid chart, before wrangler starts', async () => {
    const chart = await fileOf('initial: a\nstates: {a: {on: {go: c}}}\n');
    const { code, stdout, stderr } = await runCli(['deploy', '--dry-run', '--chart', chart]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${chart}:2:23: states.a.on.go: `);
    expect(stderr).toContain(`stateservice: ${chart} is invalid; nothing is deployed\n`);
  });

  it('ends with the exit code of wrangler', async () => {
    const { code, stderr } = await runCli(['deploy', '--dry-run', '--nonsense']);
    expect(code).toBe(1);
    expect(stderr).toContain('Unknown argument');
  });

  it.each([
    ['two charts for /state', ['--chart', 'a.yaml', '--var', 'CHART:b'], '--chart and --var CHART: both set'],
    [
      'two charts for /state, with =',
      ['--chart=a.yaml', '--var=CHART:b'],
      '--chart and --var CHART: both set',
    ],
    ['another folder of assets', ['--assets', 'charts'], '--assets is set by deploy'],
    ['a flag without its value', ['--chart'], '--chart needs a value'],
  ])('is refused with %s', (_, args, why) => {
    expect(readDeployFlags(args)).toMatchObject({
      ok: false,
      exitCode: 2,
      lines: [expect.stringContaining(why)],
    });
  });

  it('passes flags on in their order, with their values', () => {
    const args = ['--env', 'test', '--charts', 'x', '--var', 'LOG:requests', '-c', 'w.toml', '--chart=y'];
    expect(readDeployFlags(args)).toMatchObject({
      value: { others: ['--env', 'test', '--var', 'LOG:requests', '-c', 'w.toml'] },
    });
  });
});

it('keeps variables of earlier deploys and of the dashboard', async () => {
  expect(parse(await readFile('wrangler.toml', 'utf8')).keep_vars).toBe(true);
});

describe('check', () => {
  const long = (bytes: number) => SEQUENCE + '#'.repeat(bytes - SEQUENCE.length);

  it.each([
    [5_000, ''],
    [5_001, 'has 5001 bytes, more than 5000: too long for --var CHART:'],
  ])('of a chart with %i bytes notes: "%s"', async (bytes, note) => {
    const { code, stderr } = await runCli(['check', '--strict', await fileOf(long(bytes))]);
    expect(code).toBe(0);
    if (note === '') expect(stderr).toBe('');
    else expect(stderr).toContain(note);
  });

  it('notes the default.yaml of a folder, and not the charts of tenants', async () => {
    const folder = await folderOf({ 'default.yaml': long(6_000), 'acme/release.yaml': long(6_000) });
    const { stderr } = await runCli(['check', folder]);
    expect(stderr.match(/too long for/g)).toHaveLength(1);
    expect(stderr).toContain(`${folder}/default.yaml has 6000 bytes`);
  });
});
