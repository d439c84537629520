import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf, folderOf, SEQUENCE } from './charts.ts';
import { cleanUp, runCli, startServer, takenPort, temporaryFolder } from './server.ts';

/** Its target is on line 6, and is no state. */
const WRONG = SEQUENCE.replace('name: done, when', 'name: dona, when');

afterEach(cleanUp);

describe('a wrong chart', () => {
  it('is refused with every error, its line and its column', async () => {
    const chart = await fileOf(WRONG.replace('name: drain', 'name: drian'));
    const data = join(await temporaryFolder(), 'data');
    const { code, stdout, stderr } = await runCli(['serve', '--port', '0', '--data', data, '--chart', chart]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(existsSync(data), 'and leaves nothing behind').toBe(false);
    const places = stderr.split('\n').filter((line) => line.startsWith(`${chart}:`));
    expect(places.map((line) => line.slice(chart.length).match(/^:(\d+):\d+: \S+: /)?.[1])).toEqual([
      '1',
      '6',
    ]);
    expect(stderr).toContain(`${chart}:6:20: states[0].target.name: `);
  });

  it('is refused in the folder too, and named', async () => {
    const charts = await folderOf({ 'default.yaml': SEQUENCE, 'acme/release.yaml': WRONG });
    const { code, stderr } = await runCli(['serve', '--port', '0', '--charts', charts]);
    expect(code).toBe(1);
    const file = join(charts, 'acme/release.yaml');
    expect(stderr).toContain(`${file}:6:`);
    expect(stderr).toContain(`stateservice: ${file} is wrong; nothing is served`);
  });

  it('is refused where it is not UTF-8, which would be served as question marks', async () => {
    const chart = join(await temporaryFolder(), 'states.yaml');
    await writeFile(
      chart,
      Buffer.concat([Buffer.from('# '), Buffer.from([0xff, 0x0a]), Buffer.from(SEQUENCE)]),
    );
    const { code, stderr } = await runCli(['serve', '--port', '0', '--chart', chart]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${chart}:1:1: The file is not UTF-8.`);
  });
});

describe('what cannot be served', () => {
  it.each([
    ['a flag it does not know', ['--prot', '5000'], 2, "Unknown option '--prot'"],
    ['a flag without its value', ['--port'], 2, "'--port <value>' argument missing"],
    ['a port that is none', ['--port', '70000'], 2, '--port 70000 is no port'],
    ['a port that is no number', ['--port', '5e3'], 2, '--port 5e3 is no port'],
    ['an argument that is no flag', ['states.yaml'], 2, "Unexpected argument 'states.yaml'"],
    ['two charts', ['--chart', 'a', '--machine', 'b'], 2, '--chart and --machine are the same flag'],
    [
      'a host of another machine',
      ['--host', '192.0.2.1', '--open'],
      1,
      '192.0.2.1 is no address of this machine',
    ],
    [
      'a missing chart',
      ['--port', '0', '--chart', '/none/s.yaml'],
      1,
      'cannot read /none/s.yaml: it does not exist',
    ],
    ['a folder as the chart', ['--port', '0', '--chart', '/tmp'], 1, 'cannot read /tmp: it is a folder'],
    [
      'a missing folder',
      ['--port', '0', '--charts', '/none'],
      1,
      'cannot read the folder /none: it does not exist',
    ],
    [
      'data in a file',
      ['--port', '0', '--data', '/dev/null'],
      1,
      'cannot keep machines in /dev/null: it is not a folder',
    ],
  ])('is told in one line: %s', async (_, flags, exitCode, sentence) => {
    // The flags of the case come last and win.
    const { code, stdout, stderr } = await runCli(['serve', '--data', await temporaryFolder(), ...flags]);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toMatch(/^stateservice: .*\n$/);
    expect(stderr).toContain(sentence);
  });

  it('is a port that is taken', async () => {
    const port = await takenPort();
    const { code, stderr } = await runCli([
      'serve',
      '--port',
      String(port),
      '--data',
      await temporaryFolder(),
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^stateservice: port ${port} on 127.0.0.1 is taken by process ${process.pid} \\(.+\\)\n$`),
    );
  });

  it('is a port that another server has: it is named, so that it can be ended', async () => {
    const { url, pid } = await startServer();
    const { port } = new URL(url);
    const { code, stderr } = await runCli(['serve', '--port', port, '--data', await temporaryFolder()]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `stateservice: port ${port} on 127.0.0.1 is taken by another StateService, process ${pid}: ` +
        `\`kill ${pid}\` ends it, --port takes another\n`,
    );
  });

  it('is a folder of machines that another server has', async () => {
    const { data, pid } = await startServer();
    const { code, stderr } = await runCli(['serve', '--port', '0', '--data', data]);
    expect(code).toBe(1);
    expect(stderr).toBe(`stateservice: another server, process ${pid}, keeps its machines in ${data}\n`);
  });

  it("says that the original's flags do nothing, and serves", async () => {
    const server = await startServer({ flags: ['--debug', '--logger', 'x.log'] });
    expect(server.output()).toContain('--debug does nothing here');
    expect(server.output()).toContain('--logger does nothing here');
  });

  it('is a command that is none', async () => {
    const { code, stderr } = await runCli(['sevre']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "stateservice: there is no command 'sevre'; there is: serve, check, simulate, diagram, token\n",
    );
  });
});
