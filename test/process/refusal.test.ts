import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf, SEQUENCE } from './charts.ts';
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
});

describe('what cannot be served', () => {
  it.each([
    ['a flag it does not know', ['--prot', '5000'], 2, "Unknown option '--prot'"],
    [
      'a host of another machine',
      ['--host', '192.0.2.1', '--open'],
      1,
      '192.0.2.1 is no address of this machine',
    ],
    ['data in a file', ['--data', '/dev/null'], 1, 'cannot keep machines in /dev/null: it is not a folder'],
  ])('is told in one line: %s', async (_, flags, exitCode, sentence) => {
    // The flags of the case come last and win.
    const { code, stdout, stderr } = await runCli([
      'serve',
      '--port',
      '0',
      '--data',
      await temporaryFolder(),
      ...flags,
    ]);
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
