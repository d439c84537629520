import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf, folderOf, SEQUENCE, STATECHART } from './charts.ts';
import { cleanUp, startServer, temporaryFolder } from './server.ts';

afterEach(cleanUp);

describe('a start', () => {
  it('answers, and prints its address and its charts', async () => {
    const charts = await folderOf({ 'default.yaml': SEQUENCE, 'acme/release.yaml': STATECHART });
    const server = await startServer({ charts, bundles: true });

    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await get(server.url, '/state?state=drain')).toEqual({ status: 200, text: 'drain' });
    expect(await get(server.url, '/acme/release/state?state=waiting')).toEqual({
      status: 200,
      text: 'waiting',
    });
    expect(rowsOf(server.output())).toEqual([
      ['default', join(charts, 'default.yaml'), '/state'],
      ['acme/release', join(charts, 'acme/release.yaml'), '/acme/release/state'],
    ]);
  });

  it('prefers --chart to the default of the folder', async () => {
    const charts = await folderOf({ 'default.yaml': STATECHART });
    const chart = await fileOf(SEQUENCE);
    const server = await startServer({ charts, chart });
    expect(await get(server.url, '/state?state=drain')).toEqual({ status: 200, text: 'drain' });
    expect(rowsOf(server.output())).toEqual([['default', chart, '/state']]);
  });

  it('ignores files without an address, and names them', async () => {
    const charts = await folderOf({
      'release.yaml': SEQUENCE,
      'acme/re lease.yaml': SEQUENCE,
      'acme/release@1.yaml': SEQUENCE,
      'acme/release.yml': SEQUENCE,
      '-acme/release.yaml': SEQUENCE,
      'state/release.yaml': SEQUENCE,
      'acme/README.md': 'no chart',
      '.hidden/release.yaml': 'no: [chart',
    });
    const server = await startServer({ charts });
    expect(rowsOf(server.output())).toEqual([]);
    const ignored = server.output().match(/(?<=^stateservice: ).*(?= is ignored: )/gm) ?? [];
    expect(ignored.sort()).toEqual(
      [
        '-acme/release.yaml',
        'acme/re lease.yaml',
        'acme/release.yml',
        'acme/release@1.yaml',
        'release.yaml',
        'state/release.yaml',
      ].map((file) => join(charts, file)),
    );
  });

  it('follows symbolic links', async () => {
    const charts = await temporaryFolder();
    await symlink(await folderOf({ 'release.yaml': SEQUENCE }), join(charts, 'acme'));
    const server = await startServer({ charts });
    expect((await get(server.url, '/acme/release/state?state=drain')).status).toBe(200);
  });

  it('serves a chart that is added to the folder later', async () => {
    const charts = await temporaryFolder();
    const server = await startServer({ charts });
    expect((await get(server.url, '/state?state=drain')).status).toBe(404);
    await writeFile(join(charts, 'default.yaml'), SEQUENCE);
    expect((await get(server.url, '/state?state=drain')).status).toBe(200);
  });

  it('leaves no temporary files', async () => {
    const temporary = await temporaryFolder();
    const env = { TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: '1' };
    const server = await startServer({ env, bundles: true });
    expect(await readdir(temporary)).toEqual([]);
    await server.stop();
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('a chart given with --chart', () => {
  it('arrives byte for byte, also with quotes and the syntax of the configuration', async () => {
    const hostile = `it's "q" \\ \\n \\" $HOME \${x} $(id) \`id\` %s {{x}} */ // "), ( name = \\"AUTH\\", 語 😀 \u202e`;
    const text = `# ${hostile}\r\n${STATECHART}`;
    const server = await startServer({ chart: await fileOf(text) });
    expect(Buffer.from(await (await fetch(`${server.url}/chart`)).arrayBuffer())).toEqual(Buffer.from(text));
  });

  it('may be longer than an argument or an environment variable', async () => {
    const text = `${STATECHART}${'# 0123456789\n'.repeat(4_000)}`;
    const server = await startServer({ chart: await fileOf(text) });
    expect((await get(server.url, '/chart')).text).toBe(text);
  });

  it('may have spaces, quotes and = in its path', async () => {
    const folder = await folderOf({ 'a=b "c" \\d é/states.yaml': SEQUENCE, 'a=b "c" \\d é/data/x': '' });
    const odd = join(folder, 'a=b "c" \\d é');
    const server = await startServer({
      chart: join(odd, 'states.yaml'),
      charts: odd,
      data: join(odd, 'data'),
    });
    expect((await get(server.url, '/state?state=drain')).status).toBe(200);
    expect(await readdir(join(odd, 'data'))).toContain('stateservice-Machine');
  });
});

/** The table of charts that a server prints. */
function rowsOf(output: string): string[][] {
  const lines = output.split('\n').filter((line) => line.startsWith('  '));
  return lines.map((line) => line.trim().split(/ {2,}/));
}

async function get(url: string, path: string) {
  const response = await fetch(url + path);
  return { status: response.status, text: await response.text() };
}
