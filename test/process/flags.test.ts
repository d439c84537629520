/** Command lines that are refused, parsed in this process. `refusal.test.ts` tests the end of the process. */
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readCharts } from '../../src/cli/chart-files.ts';
import * as check from '../../src/cli/check.ts';
import * as deploy from '../../src/cli/deploy.ts';
import * as diagram from '../../src/cli/diagram.ts';
import { checkPort } from '../../src/cli/listen.ts';
import type { Result } from '../../src/cli/result.ts';
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
    ['an unknown flag', ['--prot', '5000'], "Unknown option '--prot'"],
    ['a flag without its value', ['--port'], "'--port <value>' argument missing"],
    ['a port out of range', ['--port', '70000'], '--port 70000 is not a port'],
    ['a port that is not a number', ['--port', '5e3'], '--port 5e3 is not a port'],
    ['an argument that is not a flag', ['states.yaml'], "Unexpected argument 'states.yaml'"],
    ['two charts', ['--chart', 'a', '--machine', 'b'], '--chart and --machine are the same flag'],
    ['an empty host', ['--host', ''], '--host is empty'],
    ['an empty data folder', ['--data='], '--data is empty'],
    ['an empty folder of charts', ['--charts', ''], '--charts is empty'],
    ['an empty chart', ['--chart='], '--chart is empty'],
  ])('is refused in one line with %s', (_, args, why) => {
    expectRefusal(readServeFlags(args, {}), 2, why);
  });

  it.each(['0.0.0.0', '::'])('does not listen without tokens on %s, unless --open is given', (host) => {
    const why = `every client that reaches ${host} could read and change every machine: set TOKEN_SECRET, or add --open`;
    expectRefusal(readServeFlags(['--host', host], {}), 2, why);
    expect(readServeFlags(['--host', host, '--open'], {})).toMatchObject({
      ok: true,
      value: { isOpen: true },
    });
  });

  it.each([
    ['a secret, and open', { TOKEN_SECRET }, ['--open'], 'use one of them'],
    ['a secret, and AUTH=open', { TOKEN_SECRET, AUTH: 'open' }, [], 'use one of them'],
    ['AUTH=token, and no secret', { AUTH: 'token' }, [], 'must have at least 32 bytes'],
    ['an empty secret', { TOKEN_SECRET: '' }, [], 'must have at least 32 bytes'],
    ['issuers, and no secret', { OIDC: '[]' }, [], 'TOKEN_SECRET must have at least 32 bytes'],
    ['issuers, and open', { OIDC: '[]' }, ['--open'], 'OIDC requires tokens, and --open'],
    [
      'the secret before, and none now',
      { TOKEN_SECRET_PREVIOUS: TOKEN_SECRET },
      [],
      'must have at least 32 bytes',
    ],
    ['another AUTH', { AUTH: 'off' }, [], 'AUTH in the environment must be token or open'],
    ['a short secret', { TOKEN_SECRET: 'short' }, [], 'must have at least 32 bytes'],
    [
      'a short secret before it',
      { TOKEN_SECRET, TOKEN_SECRET_PREVIOUS: 'short' },
      [],
      'TOKEN_SECRET_PREVIOUS must have at least 32 bytes',
    ],
    [
      'an empty secret before it',
      { TOKEN_SECRET, TOKEN_SECRET_PREVIOUS: '' },
      [],
      'TOKEN_SECRET_PREVIOUS must have at least 32 bytes',
    ],
  ])('refuses %s', (_, env, args, why) => {
    expectRefusal(readServeFlags(args, env), 2, why);
  });

  it('by default takes the charts of the package and the folder data', () => {
    expect(readServeFlags([], {})).toMatchObject({
      ok: true,
      value: { chart: undefined, charts: resolve('charts'), data: resolve('data') },
    });
  });

  it('takes --machine as --chart', () => {
    expect(readServeFlags(['--machine', 'states.yaml'], {})).toMatchObject({
      ok: true,
      value: { chart: resolve('states.yaml') },
    });
  });

  it.each(['', '*', 'http://state.lan', 'state.lan:5000', 'a b', '1.2.3.4.5'])(
    'refuses --allow-host "%s"',
    (name) => {
      expectRefusal(readServeFlags(['--allow-host', name], {}), 2, `--allow-host ${name} is not a host name`);
    },
  );

  it('allows the hosts localhost, --host and --allow-host', () => {
    const flags = ['--host', 'State.lan', '--open', '--allow-host', 'a.test', '--allow-host=B.test.'];
    expect(readServeFlags(flags, {})).toMatchObject({
      ok: true,
      value: { allowedHosts: ['localhost', 'state.lan', 'a.test', 'b.test'] },
    });
  });

  it("says that the original's flags have no effect", () => {
    const flags = readServeFlags(['--debug', '--logger', 'x.log'], {});
    expect(flags).toMatchObject({
      ok: true,
      value: { notes: [expect.stringContaining('--debug has'), expect.stringContaining('--logger has')] },
    });
  });

  it('refuses a host of another machine', async () => {
    const refusal = await checkPort({ host: '192.0.2.1', port: 0 });
    expectRefusal(refusal, 1, '192.0.2.1 is not an address of this machine');
  });
});

describe('the charts of serve', () => {
  it.each([
    ['a missing chart', '/none/s.yaml', 'cannot read /none/s.yaml: it does not exist'],
    ['a folder as the chart', '/tmp', 'cannot read /tmp: it is a folder'],
  ])('are refused with %s', async (_, chart, why) => {
    expectRefusal(await readCharts(await temporaryFolder(), chart), 1, why);
  });

  it('are refused with a missing folder', async () => {
    expectRefusal(await readCharts('/none', undefined), 1, 'cannot read the folder /none: it does not exist');
  });

  it('are refused in the folder too, by name', async () => {
    const wrong = SEQUENCE.replace('name: done, when', 'name: dona, when');
    const charts = await folderOf({ 'default.yaml': SEQUENCE, 'acme/release.yaml': wrong });
    const file = join(charts, 'acme/release.yaml');
    const { lines } = refusalOf(await readCharts(charts, undefined));
    // Its target, on line 6, is not a state.
    expect(lines.filter((line) => line.startsWith(`${file}:6:`))).toHaveLength(1);
    expect(lines).toContain(`stateservice: ${file} is invalid; nothing is served`);
  });

  it('are refused if they are not UTF-8', async () => {
    const chart = await fileOf(Buffer.concat([Buffer.from('# '), Buffer.from([0xff, 0x0a])]));
    const { lines } = refusalOf(await readCharts(await temporaryFolder(), chart));
    expect(lines).toContain(`${chart}:1:1: The file is not UTF-8.`);
  });
});

describe('a token', () => {
  beforeEach(() => vi.stubEnv('TOKEN_SECRET', TOKEN_SECRET));

  it.each([
    ['no machines', ['--can', 'read', '--sub', 'x'], '--charts is missing'],
    ['a path', ['--charts', 'acme/../x', '--can', 'read', '--sub', 'x'], 'acme/../x is neither'],
    ['a tenant alone', ['--charts', 'acme', '--can', 'read', '--sub', 'x'], 'acme is neither'],
    ['no rights', ['--charts', '*', '--sub', 'x'], '--can takes read, update, operate, admin'],
    ['an unknown right', ['--charts', '*', '--can', 'read,write', '--sub', 'x'], '--can takes'],
    ['no name', ['--charts', '*', '--can', 'read'], '--sub must be'],
    ['an unreadable lifetime', [...WEB, '--ttl', 'soon'], '--ttl soon is not'],
    ['a lifetime of zero', [...WEB, '--ttl', '0s'], '--ttl 0s is not'],
    ['an unknown flag', [...WEB, '--secret', 'x'], "Unknown option '--secret'"],
  ])('is refused with %s', async (_, args, why) => {
    expectRefusal(await token.run(args), 2, why);
  });

  it.each([
    ['no secret', ''],
    ['a short secret', 'short'],
  ])('is refused with %s, which is not shown', async (_, secret) => {
    vi.stubEnv('TOKEN_SECRET', secret);
    const { exitCode, lines } = refusalOf(await token.run(WEB));
    expect(exitCode).toBe(1);
    expect(lines).toEqual(['stateservice: TOKEN_SECRET of the environment must have at least 32 bytes']);
  });
});

describe('a command that works on charts', () => {
  it.each([
    ['check without a chart', check, [], 2, 'check takes a chart'],
    ['check of a missing file', check, ['/none/x.yaml'], 1, 'cannot read /none/x.yaml: it does not exist'],
    ['check with an unknown flag', check, ['--fix', 'charts'], 2, "Unknown option '--fix'"],
    ['simulate without a chart', simulate, [], 2, 'simulate takes a chart'],
    ['simulate with an unreadable time', simulate, [CANARY, '--at', 'noon'], 2, '--at noon is not a time'],
    [
      'simulate with data before any event',
      simulate,
      [CANARY, '--data', '1', 'fail'],
      2,
      '--data belongs to',
    ],
    ['simulate with two data', simulate, [CANARY, 'fail', '--data=1', '--data=2'], 2, 'one to each'],
    ['simulate of a missing file', simulate, ['/none/x.yaml'], 1, 'cannot read /none/x.yaml'],
    ['diagram without a chart', diagram, [], 2, 'diagram takes one chart'],
    ['diagram of two charts', diagram, ['a', 'b'], 2, 'diagram takes one chart'],
    [
      'diagram into a file with another extension',
      diagram,
      [CANARY, '--out', 'a.png'],
      2,
      '--out a.png has neither extension',
    ],
    ['diagram in an unknown format', diagram, [CANARY, '--format', 'png'], 2, '--format is svg or mermaid'],
    [
      'diagram of a state that is not there',
      diagram,
      [CANARY, '--in', 'x'],
      2,
      'no state "x" with states inside',
    ],
    ['diagram with an unknown word', diagram, [CANARY, '--idle', 'all'], 2, '--idle is open or folded'],
    [
      'diagram of a part for Mermaid',
      diagram,
      [CANARY, '--format', 'mermaid', '--in', 'rollout'],
      2,
      '--in and --idle are for an SVG',
    ],
    ['diagram of a missing file', diagram, ['/none/x.yaml'], 1, '/none/x.yaml: it does not exist'],
    ['diagram into a missing folder', diagram, [CANARY, '--out', '/none/x.svg'], 1, '/none/x.svg'],
  ])('is refused in one line: %s', async (_, command, args, exitCode, why) => {
    expectRefusal(await command.run(args), exitCode, why);
  });
});

describe('help', () => {
  it.each(Object.entries({ serve, token, check, simulate, diagram, deploy }))(
    'of %s shows examples',
    (_, { help }) => {
      expect(help).toMatch(/^usage: /);
      expect(help).toMatch(/\nexamples:\n/);
    },
  );
});

function expectRefusal(result: Result<unknown>, exitCode: number, why: string): void {
  const refusal = refusalOf(result);
  expect(refusal.exitCode).toBe(exitCode);
  expect(refusal.lines).toHaveLength(1);
  expect(refusal.lines[0]).toMatch(/^stateservice: /);
  expect(refusal.lines[0]).toContain(why);
}

function refusalOf(result: Result<unknown>) {
  if (result.ok) throw new Error('it was not refused');
  return result;
}
