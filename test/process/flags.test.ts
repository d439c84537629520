/** The command lines that are refused, read in this process: `refusal.test.ts` shows how a refusal ends a process. */
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readCharts } from '../../src/cli/chart-files.ts';
import * as check from '../../src/cli/check.ts';
import * as diagram from '../../src/cli/diagram.ts';
import { checkPort } from '../../src/cli/listen.ts';
import type { Outcome } from '../../src/cli/outcome.ts';
import * as serve from '../../src/cli/serve.ts';
import { readServeFlags } from '../../src/cli/serve-flags.ts';
import * as simulate from '../../src/cli/simulate.ts';
import * as token from '../../src/cli/token.ts';
import { fileOf, folderOf, SEQUENCE } from './charts.ts';
import { cleanUp, temporaryFolder } from './server.ts';

const TOKEN_SECRET = 'a secret that has bytes enough for it';
const WEB = ['--charts', 'acme/*', '--can', 'read,update', '--sub', 'web-01'];
const CANARY = 'charts/acme/canary.yaml';

afterEach(async () => {
  vi.unstubAllEnvs();
  await cleanUp();
});

describe('serve', () => {
  it.each([
    ['a flag it does not know', ['--prot', '5000'], "Unknown option '--prot'"],
    ['a flag without its value', ['--port'], "'--port <value>' argument missing"],
    ['a port that is none', ['--port', '70000'], '--port 70000 is no port'],
    ['a port that is no number', ['--port', '5e3'], '--port 5e3 is no port'],
    ['an argument that is no flag', ['states.yaml'], "Unexpected argument 'states.yaml'"],
    ['two charts', ['--chart', 'a', '--machine', 'b'], '--chart and --machine are the same flag'],
    ['an empty host', ['--host', ''], '--host is empty'],
  ])('is told in one line: %s', (_, args, why) => {
    expectRefusal(readServeFlags(args, {}), 2, why);
  });

  it.each(['0.0.0.0', '::'])('is not open to others unless that is said: %s', (host) => {
    const why = `whoever reaches ${host} could read and change every machine: set TOKEN_SECRET, or say --open`;
    expectRefusal(readServeFlags(['--host', host], {}), 2, why);
    expect(readServeFlags(['--host', host, '--open'], {})).toMatchObject({
      ok: true,
      value: { isOpen: true },
    });
  });

  it.each([
    ['a secret, and open', { TOKEN_SECRET }, ['--open'], 'say one of them'],
    ['a secret, and AUTH=open', { TOKEN_SECRET, AUTH: 'open' }, [], 'say one of them'],
    ['AUTH=token, and no secret', { AUTH: 'token' }, [], 'must have 32 bytes at least'],
    ['an empty secret', { TOKEN_SECRET: '' }, [], 'must have 32 bytes at least'],
    ['the secret before, and none now', { TOKEN_SECRET_PREVIOUS: TOKEN_SECRET }, [], 'must have 32 bytes'],
    ['another AUTH', { AUTH: 'off' }, [], 'AUTH in the environment must be token or open'],
    ['a short secret', { TOKEN_SECRET: 'short' }, [], 'must have 32 bytes at least'],
    [
      'a short secret before it',
      { TOKEN_SECRET, TOKEN_SECRET_PREVIOUS: 'short' },
      [],
      'TOKEN_SECRET_PREVIOUS must have 32 bytes at least',
    ],
    [
      'an empty secret before it',
      { TOKEN_SECRET, TOKEN_SECRET_PREVIOUS: '' },
      [],
      'TOKEN_SECRET_PREVIOUS must have 32 bytes at least',
    ],
  ])('does not take what contradicts itself: %s', (_, env, args, why) => {
    expectRefusal(readServeFlags(args, env), 2, why);
  });

  it('takes the charts of the package and the folder data where nothing else is said', () => {
    expect(readServeFlags([], {})).toMatchObject({
      ok: true,
      value: { chart: undefined, charts: resolve('charts'), data: resolve('data') },
    });
  });

  it('takes --machine for --chart', () => {
    expect(readServeFlags(['--machine', 'states.yaml'], {})).toMatchObject({
      ok: true,
      value: { chart: resolve('states.yaml') },
    });
  });

  it.each(['', '*', 'http://state.lan', 'state.lan:5000', 'a b', '1.2.3.4.5'])(
    'takes no name for --allow-host that is none: "%s"',
    (name) => {
      expectRefusal(readServeFlags(['--allow-host', name], {}), 2, `--allow-host ${name} is no host's name`);
    },
  );

  it('is called localhost, what --host says, and what --allow-host says', () => {
    const flags = ['--host', 'State.lan', '--open', '--allow-host', 'a.test', '--allow-host=B.test.'];
    expect(readServeFlags(flags, {})).toMatchObject({
      ok: true,
      value: { allowedHosts: ['localhost', 'state.lan', 'a.test', 'b.test'] },
    });
  });

  it("says of the original's flags that they do nothing", () => {
    const flags = readServeFlags(['--debug', '--logger', 'x.log'], {});
    expect(flags).toMatchObject({
      ok: true,
      value: { notes: [expect.stringContaining('--debug does'), expect.stringContaining('--logger does')] },
    });
  });

  it('takes no host of another machine', async () => {
    const refusal = await checkPort({ host: '192.0.2.1', port: 0 });
    expect(refusal?.lines).toEqual(['stateservice: 192.0.2.1 is no address of this machine']);
  });
});

describe('the charts of serve', () => {
  it.each([
    ['a missing chart', '/none/s.yaml', 'cannot read /none/s.yaml: it does not exist'],
    ['a folder as the chart', '/tmp', 'cannot read /tmp: it is a folder'],
  ])('are not %s', async (_, chart, why) => {
    expectRefusal(await readCharts(await temporaryFolder(), chart), 1, why);
  });

  it('are not in a missing folder', async () => {
    expectRefusal(await readCharts('/none', undefined), 1, 'cannot read the folder /none: it does not exist');
  });

  it('are refused in the folder too, and named', async () => {
    const wrong = SEQUENCE.replace('name: done, when', 'name: dona, when');
    const charts = await folderOf({ 'default.yaml': SEQUENCE, 'acme/release.yaml': wrong });
    const file = join(charts, 'acme/release.yaml');
    const { lines } = refusalOf(await readCharts(charts, undefined));
    // Its target is on line 6, and is no state.
    expect(lines.filter((line) => line.startsWith(`${file}:6:`))).toHaveLength(1);
    expect(lines).toContain(`stateservice: ${file} is wrong; nothing is served`);
  });

  it('are refused where they are not UTF-8, which would be served as question marks', async () => {
    const chart = await fileOf(Buffer.concat([Buffer.from('# '), Buffer.from([0xff, 0x0a])]));
    const { lines } = refusalOf(await readCharts(await temporaryFolder(), chart));
    expect(lines).toContain(`${chart}:1:1: The file is not UTF-8.`);
  });
});

describe('a token', () => {
  beforeEach(() => vi.stubEnv('TOKEN_SECRET', TOKEN_SECRET));

  it.each([
    ['no machines', ['--can', 'read', '--sub', 'x'], '--charts is missing'],
    ['impossible machines', ['--charts', 'acme/../x', '--can', 'read', '--sub', 'x'], 'acme/../x is no'],
    ['a tenant alone', ['--charts', 'acme', '--can', 'read', '--sub', 'x'], 'acme is no'],
    ['no rights', ['--charts', '*', '--sub', 'x'], '--can takes read, update, admin'],
    ['a right that there is not', ['--charts', '*', '--can', 'read,write', '--sub', 'x'], '--can takes'],
    ['nobody', ['--charts', '*', '--can', 'read'], '--sub must be'],
    ['no duration', [...WEB, '--ttl', 'soon'], '--ttl soon is no'],
    ['no time at all', [...WEB, '--ttl', '0s'], '--ttl 0s is no'],
    ['a flag that there is not', [...WEB, '--secret', 'x'], "Unknown option '--secret'"],
  ])('is not made of %s', async (_, args, why) => {
    expectRefusal(await token.run(args), 2, why);
  });

  it.each([
    ['no secret', ''],
    ['a short one', 'short'],
  ])('is not made with %s, which is not shown', async (_, secret) => {
    vi.stubEnv('TOKEN_SECRET', secret);
    const { exitCode, lines } = refusalOf(await token.run(WEB));
    expect(exitCode).toBe(1);
    expect(lines).toEqual(['stateservice: TOKEN_SECRET of the environment must have 32 bytes at least']);
  });
});

describe('a command that works on charts', () => {
  it.each([
    ['check, of nothing', check, [], 2, 'check what?'],
    ['check, of no file', check, ['/none/x.yaml'], 1, 'cannot read /none/x.yaml: it does not exist'],
    ['check, by no flag', check, ['--fix', 'charts'], 2, "Unknown option '--fix'"],
    ['simulate, of nothing', simulate, [], 2, 'simulate what?'],
    ['simulate, at no time', simulate, [CANARY, '--at', 'noon'], 2, '--at noon is no time'],
    ['simulate, of no file', simulate, ['/none/x.yaml'], 1, 'cannot read /none/x.yaml'],
    ['diagram, of no chart', diagram, [], 2, 'diagram takes one chart'],
    ['diagram, of two charts', diagram, ['a', 'b'], 2, 'diagram takes one chart'],
    [
      'diagram, in a format that a name does not tell',
      diagram,
      [CANARY, '--out', 'a.png'],
      2,
      '--out a.png names no format',
    ],
    ['diagram, in no format', diagram, [CANARY, '--format', 'png'], 2, '--format is svg or mermaid'],
    ['diagram, of no file', diagram, ['/none/x.yaml'], 1, '/none/x.yaml: it does not exist'],
    ['diagram, into no folder', diagram, [CANARY, '--out', '/none/x.svg'], 1, '/none/x.svg'],
  ])('is told in one line: %s', async (_, command, args, exitCode, why) => {
    expectRefusal(await command.run(args), exitCode, why);
  });
});

describe('help', () => {
  it.each(Object.entries({ serve, token, check, simulate, diagram }))(
    'of %s shows examples',
    (_, { help }) => {
      expect(help).toMatch(/^usage: /);
      expect(help).toMatch(/\nexamples:\n/);
    },
  );
});

function expectRefusal(outcome: Outcome<unknown>, exitCode: number, why: string): void {
  const refusal = refusalOf(outcome);
  expect(refusal.exitCode).toBe(exitCode);
  expect(refusal.lines).toHaveLength(1);
  expect(refusal.lines[0]).toMatch(/^stateservice: /);
  expect(refusal.lines[0]).toContain(why);
}

function refusalOf(outcome: Outcome<unknown>) {
  if (outcome.ok) throw new Error('it was not refused');
  return outcome;
}
