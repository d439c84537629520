import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf, SEQUENCE } from './charts.ts';
import { cleanUp, runCli, startServer, takenPort, temporaryFolder } from './server.ts';

/** The target, on line 6, is not a state. */
const WRONG = SEQUENCE.replace('name: done, when', 'name: dona, when');

afterEach(cleanUp);

describe('an invalid chart', () => {
  it('is refused with every error, by line and column', async () => {
    const chart = await fileOf(WRONG.replace('name: drain', 'name: drian'));
    const data = join(await temporaryFolder(), 'data');
    const { code, stdout, stderr } = await runCli(['serve', '--port', '0', '--data', data, '--chart', chart]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(existsSync(data), 'and creates no data folder').toBe(false);
    const places = stderr.split('\n').filter((line) => line.startsWith(`${chart}:`));
    expect(places.map((line) => line.slice(chart.length).match(/^:(\d+):\d+: \S+: /)?.[1])).toEqual([
      '1',
      '6',
    ]);
    expect(stderr).toContain(`${chart}:6:20: states[0].target.name: `);
  });
});

describe('serve', () => {
  it.each([
    ['an unknown flag', ['--prot', '5000'], 2, "Unknown option '--prot'"],
    [
      'a host of another machine',
      ['--host', '192.0.2.1', '--open'],
      1,
      '192.0.2.1 is not an address of this machine',
    ],
    [
      'data in a file',
      ['--data', '/dev/null'],
      1,
      'cannot use the data folder /dev/null: it is not a folder',
    ],
    [
      'data where no folder can be created',
      ['--data', '/proc/stateservice/data'],
      1,
      'cannot use the data folder /proc/stateservice/data: ',
    ],
  ])('is refused in one line: %s', async (_, flags, exitCode, sentence) => {
    // The flags of the case come last and take precedence.
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

  it('refuses a port in use, and names its process', async () => {
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
      new RegExp(`^stateservice: port ${port} on 127.0.0.1 is in use by process ${process.pid} \\(.+\\)\n$`),
    );
  });

  it('refuses the port of another server, and says how to stop that', async () => {
    // The script of its source is what it is known by.
    const { url, pid } = await startServer({ bundles: true });
    const { port } = new URL(url);
    const { code, stderr } = await runCli(['serve', '--port', port, '--data', await temporaryFolder()]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `stateservice: port ${port} on 127.0.0.1 is in use by another StateService, process ${pid}: ` +
        `stop it with \`kill ${pid}\`, or choose another port with --port\n`,
    );
  });

  it('refuses the data folder of another server', async () => {
    const { data, pid } = await startServer();
    const { code, stderr } = await runCli(['serve', '--port', '0', '--data', data]);
    expect(code).toBe(1);
    expect(stderr).toBe(`stateservice: another server, process ${pid}, uses the data folder ${data}\n`);
  });

  it("says that the original's flags have no effect, and serves", async () => {
    const server = await startServer({ flags: ['--debug', '--logger', 'x.log'] });
    expect(server.output()).toContain('--debug has no effect');
    expect(server.output()).toContain('--logger has no effect');
  });

  it('is one of the commands', async () => {
    const { code, stderr } = await runCli(['sevre']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "stateservice: unknown command 'sevre'; the commands are: serve, check, simulate, diagram, deploy, binary, token\n",
    );
  });
});
