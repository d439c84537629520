/** The commands other than `serve` and `token`, as processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { help } from '../../src/cli/check.ts';
import { generatedCharts } from '../view/generated-charts.ts';
import { fileOf, folderOf, SEQUENCE, STATECHART } from './charts.ts';
import { run } from './recipes/recipe.ts';
import { cleanUp, runCli, temporaryFolder, until } from './server.ts';

afterEach(cleanUp);

const WARNED = 'initial: a\nstates:\n  a: {}\n  b: {}\n';

describe('check', () => {
  it('finds no fault in the charts of the package', async () => {
    const members = 'docs/recipes/night.txt';
    expect(await runCli(['check', '--strict', '--members', members, 'charts'])).toEqual({
      code: 0,
      stdout: '10 charts, 0 errors, 0 warnings\n',
      stderr: '',
    });
  });

  it('reports all faults of a folder, each as file:line:column', async () => {
    const folder = await folderOf({
      'good.yaml': SEQUENCE,
      'acme/good.yaml': STATECHART,
      'acme/target.yaml': 'initial: a\nstates:\n  a: {on: {go: bb}}\n  b: {}\n',
      'acme/deep/broken.yml': 'initial: [\n',
      'two.yaml': 'current_state: a\nstates:\n  - {name: a, func: increment}\n',
      'README.md': 'no chart',
      '.hidden/x.yaml': 'no: [chart',
    });
    const { code, stdout, stderr } = await runCli(['check', folder]);
    expect([code, stderr]).toEqual([1, '']);
    const lines = stdout.trim().split('\n');
    expect(lines.pop()).toBe('5 charts, 4 errors, 0 warnings');
    const found = lines.map((line) => line.replace(`${folder}/`, '').split(': ')[0]);
    expect(found).toEqual([
      'acme/deep/broken.yml:1:11',
      'acme/target.yaml:3:16',
      'two.yaml:3:5',
      'two.yaml:3:5',
    ]);
    expect(stdout).toContain('Did you mean "b"?');
  });

  it('treats warnings as errors only with --strict', async () => {
    const file = await fileOf(WARNED);
    const lenient = await runCli(['check', file]);
    expect(lenient.code).toBe(0);
    expect(lenient.stdout).toBe(
      `${file}:4:3: warning: states.b: No transition leads to "b".\n1 chart, 0 errors, 1 warning\n`,
    );
    expect((await runCli(['check', '--strict', file])).code).toBe(1);
  });

  it('warns of a chart that needs members until they are declared, and of a state for none of them', async () => {
    const file = await fileOf(
      `initial: a\nstates:\n  a: {only: 'member.zone == "eu"', on: {update: {target: b, quorum: 95%}}}\n  b: {}\n`,
    );
    const message =
      '"a" needs a list of members (for a share, or for `only`): upload one with PUT …/members, and check with --members FILE.';
    expect((await runCli(['check', file])).stdout).toBe(
      `${file}:1:1: warning: ${message}\n1 chart, 0 errors, 1 warning\n`,
    );
    const members = await fileOf('web-01 zone=eu\n');
    expect((await runCli(['check', '--members', members, file])).stdout).toBe(
      '1 chart, 0 errors, 0 warnings\n',
    );
    const others = await fileOf('web-01 zone=us\n');
    expect((await runCli(['check', '--members', others, file])).stdout).toContain(
      '"a" is for no member of the list.',
    );
    const wrong = await fileOf('web-01\nweb-01\n');
    const refused = await runCli(['check', '--members', wrong, file]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining(`${wrong}:2: "web-01" is in the list`),
    ]);
  });

  it('prints JSON with --json', async () => {
    const file = await fileOf('initial: a\nstates: {a: {on: {go: c}}}\n');
    const { code, stdout, stderr } = await runCli(['check', '--json', file]);
    expect([code, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toEqual([
      {
        file,
        severity: 'error',
        line: 2,
        column: 23,
        path: 'states.a.on.go',
        message: expect.stringContaining('"c"'),
      },
    ]);
  });
});

describe('simulate', () => {
  const canary = 'charts/acme/canary.yaml';

  it('shows the states, counts and timers after each step', async () => {
    const { code, stdout } = await runCli(['simulate', canary, 'update', 'update', 'update', '+30m']);
    expect(code).toBe(0);
    const budget = 'fail at rollout: 0 of 2';
    expect(stdout).toBe(`start
  rollout, rollout.canary (${budget}; update at rollout.canary: 0 of 3; in 2h: rollback)
update
  rollout, rollout.canary (${budget}; update at rollout.canary: 1 of 3; in 2h: rollback)
update
  rollout, rollout.canary (${budget}; update at rollout.canary: 2 of 3; in 2h: rollback)
update
  rollout, rollout.soak (${budget}; in 30m: rollout.fleet; in 2h: rollback)
+30m
  rollout, rollout.fleet (${budget}; update at rollout.fleet: 0 of 9; in 1h 30m: rollback)
`);
  });

  it('sends an event to a state, and says why it is refused', async () => {
    const { code, stdout } = await runCli([
      'simulate',
      canary,
      'fleet:update',
      'nothing',
      '+soon',
      'x:update',
    ]);
    expect(code).toBe(1);
    expect(stdout.split('\n').filter((line) => line.includes('REFUSED'))).toEqual([
      'fleet:update REFUSED: fleet is not current',
      'nothing REFUSED: rollout.canary does not take nothing',
      '+soon REFUSED: +soon is not a duration such as +30m',
      'x:update REFUSED: there is no state x',
    ]);
  });

  it('reads steps from stdin, and prints JSON with --json', async () => {
    const args = ['simulate', canary, '--json', '--at', '2026-12-01T00:00:00Z'];
    const { code, stdout } = await runCli(args, {}, 'update\n\n+3h\n');
    expect(code).toBe(0);
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(steps.map(({ step, at, states }) => [step, at, states])).toEqual([
      ['start', '2026-12-01T00:00:00.000Z', ['rollout', 'rollout.canary']],
      ['update', '2026-12-01T00:00:00.000Z', ['rollout', 'rollout.canary']],
      ['+3h', '2026-12-01T03:00:00.000Z', ['rollback']],
    ]);
    expect(steps[1]).toMatchObject({
      ok: true,
      counts: [
        { have: 0, need: 2 },
        { have: 1, need: 3 },
      ],
      timers: [{ at: '2026-12-01T02:00:00.000Z', to: ['rollback'] }],
    });
  });

  it('shows the context', async () => {
    const chart = await fileOf(
      'initial: work\ncontext: {n: 0}\nstates: {work: {on: {update: {actions: [{assign: {n: context.n + 1}}]}}}}\n',
    );
    const { stdout } = await runCli(['simulate', chart, 'update']);
    expect(stdout).toBe('start\n  work (context: {"n":0})\nupdate\n  work (context: {"n":1})\n');
    const lines = (await runCli(['simulate', chart, '--json', 'update'])).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).context)).toEqual([{ n: 0 }, { n: 1 }]);
  });

  it('sends an event with the data that follow it, and says what is wrong with others', async () => {
    const chart = await fileOf(
      'initial: work\nstates:\n  work: {on: {fail: {target: rollback, guard: event.data.errors > 5}}}\n  rollback: {}\n',
    );
    const small = ['fail', '--data', '{"errors": 5}'];
    const { code, stdout } = await runCli(['simulate', chart, ...small, 'work:fail', '--data={"errors": 6}']);
    expect(code).toBe(1);
    expect(stdout).toBe(`start
  work
fail {"errors": 5} REFUSED: work does not take fail
  work
work:fail {"errors": 6}
  rollback
`);
    const typed = 'fail\nfail --data {errors: 6}\n+1s --data 1\nfail --data {"errors": 6}\n';
    const lines = (await runCli(['simulate', chart, '--json'], {}, typed)).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { step: 'start' },
      { step: 'fail', ok: false },
      { step: 'fail', ok: false, detail: expect.stringContaining('--data is not JSON') },
      { step: '+1s', ok: false, detail: '--data belongs to an event' },
      { step: 'fail', data: '{"errors": 6}', ok: true, states: ['rollback'] },
    ]);
  });

  it('sends events for callers, who may go or not, among members', async () => {
    const chart = await fileOf(
      `initial: eu\nstates:\n  eu: {only: 'member.zone == "eu"', on: {update: {target: us, quorum: all}}}\n  us: {on: {update: {target: end, quorum: 50%}}}\n  end: {}\n`,
    );
    const members = ['--member', 'web-01,zone=eu', '--member', 'web-02,zone=eu', '--member=db-01'];
    const by = (...names: string[]) => names.flatMap((name) => ['update', '--by', name]);
    const steps = [...by('web-01', 'web-01', 'db-01', 'web-99', 'web-02'), 'update', ...by('db-01')];
    const { stdout } = await runCli(['simulate', chart, ...members, ...steps]);
    expect(stdout.split('\n')).toEqual([
      'start',
      '  eu (update at eu: 0 of 2)',
      'update --by web-01',
      '  eu (update at eu: 1 of 2)',
      'update --by web-01 REFUSED: web-01 may not go: it has reported in this visit of eu',
      '  eu (update at eu: 1 of 2)',
      'update --by db-01 REFUSED: db-01 may not go: eu is not for it',
      '  eu (update at eu: 1 of 2)',
      'update --by web-99 REFUSED: web-99 may not go: it is not a member',
      '  eu (update at eu: 1 of 2)',
      'update --by web-02',
      '  us (update at us: 0 of 2)',
      'update REFUSED: the machine has members: say which one it is, with --by NAME',
      '  us (update at us: 0 of 2)',
      'update --by db-01',
      '  us (update at us: 1 of 2)',
      '',
    ]);
    const typed = (await runCli(['simulate', chart, '--json'], {}, 'update --by web-01\n')).stdout;
    expect(typed).toContain('web-01 may not go: eu needs a list of members: --member NAME');
  });

  it('refuses inputs with which the chart cannot start', async () => {
    const chart = await fileOf(
      'initial: a\ninputs: {parts: null}\ncontext: {n: 0}\nstates: {a: {entry: {assign: {n: inputs.parts + 1}}}}\n',
    );
    expect((await runCli(['simulate', chart, '--input', 'parts=1', '+1m'])).code).toBe(0);
    const { code, stderr } = await runCli(['simulate', chart, '--input', 'parts=x', '+1m']);
    expect([code, stderr]).toEqual([
      1,
      'stateservice: the chart cannot start with these inputs: assign inputs.parts + 1: no such overload: dyn<string> + int\n',
    ]);
  });

  it('shows the windows of current states, and when they open and close', async () => {
    const window = '{cron: 0 2 * * 1-5, for: 4h, zone: Europe/Berlin, cutoff: 30m}';
    const chart = await fileOf(
      `initial: work\nstates:\n  work: {window: ${window}, on: {update: {target: done, quorum: 2}}}\n  done: {}\n`,
    );
    const args = [
      'simulate',
      chart,
      '--at',
      '2026-12-01T00:00:00Z',
      'update',
      '+90m',
      '+24h',
      'update',
      '+1d',
    ];
    expect((await runCli(args)).stdout).toBe(`start
  work (update at work: 0 of 2; work is closed, opens in 1h (2026-12-01 01:00Z))
update
  work (update at work: 1 of 2; work is closed, opens in 1h (2026-12-01 01:00Z))
+90m
  2026-12-01 01:00Z: work opens
  work (update at work: 1 of 2; work is open, closes in 3h (2026-12-01 04:30Z))
+24h
  2026-12-01 04:30Z: work closes
  2026-12-02 01:00Z: work opens
  work (update at work: 1 of 2; work is open, closes in 3h (2026-12-02 04:30Z))
update
  done
+1d
  done
`);
    const { stdout } = await runCli([...args.slice(0, 4), '--json', '+90m']);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { windows: [{ state: 'work', open: false, opens: '2026-12-01T01:00:00.000Z' }] },
      {
        windows: [{ state: 'work', open: true, until: '2026-12-01T04:30:00.000Z' }],
        changes: [{ at: '2026-12-01T01:00:00.000Z', state: 'work', open: true }],
      },
    ]);
  });

  it('shows the slots of current states', async () => {
    const { stdout } = await runCli(['simulate', 'charts/acme/patch.yaml', '--json', 'update']);
    const [start] = stdout.trim().split('\n');
    expect(JSON.parse(start ?? '')).toMatchObject({ slots: [{ state: 'patch', slots: 5 }] });
    const text = await runCli(['simulate', 'charts/acme/patch.yaml', 'update']);
    expect(text.stdout).toContain('slots at patch: 5');
  });

  it('reports the errors of a chart', async () => {
    const file = await fileOf('initial: a\n');
    const { code, stderr } = await runCli(['simulate', file, 'update']);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}:1:`);
  });
});

describe('diagram', () => {
  it('writes the format of the file’s extension, or prints it', async () => {
    const folder = await temporaryFolder();
    for (const [name, begins] of [
      ['a.svg', '<svg xmlns='],
      ['a.mmd', 'stateDiagram-v2\n'],
    ] as const) {
      const out = join(folder, name);
      expect(await runCli(['diagram', 'charts/acme/canary.yaml', '--out', out])).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
      expect(await readFile(out, 'utf8')).toMatch(new RegExp(`^${begins}`));
    }
    const { stdout } = await runCli(['diagram', 'charts/acme/canary.yaml', '--format', 'mermaid']);
    expect(stdout).toBe(await readFile(join(folder, 'a.mmd'), 'utf8'));
  });

  it('leaves states out of a large chart as a page does, says so, and draws them on request', async () => {
    const large = generatedCharts().find(({ name }) => name === 'nested 200, phases')?.text ?? '';
    const file = await fileOf(large);
    const drawn = async (...flags: string[]) => {
      const { code, stdout, stderr } = await runCli(['diagram', file, ...flags]);
      const states = [...stdout.matchAll(/<g class="state [^>]* data-state="([^"]*)"/g)].map(
        ([, name]) => name,
      );
      return { code, states, stderr };
    };
    const { states, stderr } = await drawn();
    expect(states.length).toBeLessThan(40);
    expect(states).not.toContain('phase_3.step_1');
    expect(stderr).toMatch(/\d+ of 203 states are inside folded ones; --idle open draws/);
    const open = await drawn('--idle', 'open');
    expect([open.states.length, open.stderr]).toEqual([203, '']);
    const inside = await drawn('--in', 'phase_3');
    expect(inside.states).toContain('phase_3.step_1');
    expect(inside.states).not.toContain('phase_0');
    expect((await runCli(['diagram', 'charts/acme/night.yaml', '--idle', 'folded'])).stdout).toContain('▸ ');
  });
});

describe('the output of check', () => {
  it('has colours with FORCE_COLOR, and none with NO_COLOR', async () => {
    const args = ['check', await fileOf(WARNED)];
    expect((await runCli(args, { FORCE_COLOR: '1' })).stdout).toContain('\u001b[33mwarning: ');
    expect((await runCli(args, { NO_COLOR: '1' })).stdout).not.toContain('\u001b');
  });
});

it('prints its version', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  expect((await runCli(['--version'])).stdout).toBe(`stateservice ${version}\n`);
});

describe('the launcher', () => {
  const launcher = 'bin/stateservice.js';
  // Runs no TypeScript, as an older Node.
  const older = '--no-experimental-strip-types';

  it.each([[[launcher]], [[older, launcher]]])(
    'runs the command line with %j, and exits with its code',
    async (node) => {
      const right = await run(process.execPath, [...node, 'check', 'charts/default.yaml']);
      expect(right).toEqual({ code: 0, stdout: '1 chart, 0 errors, 0 warnings\n', stderr: '' });
      expect(await run(process.execPath, [...node, 'check'])).toMatchObject({ code: 2 });
    },
  );

  it('stops its server when it is terminated or killed', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const data = await temporaryFolder();
      const flags = ['serve', '--port', '0', '--data', data, '--charts', data];
      const child = spawn(process.execPath, [older, launcher, ...flags], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [first] = await once(child.stdout, 'data');
      const url = /http:\S+/.exec(String(first))?.[0] ?? '';
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      child.kill(signal);
      const isGone = () =>
        fetch(`${url}/healthz`)
          .then(() => false)
          .catch(() => true);
      await until(isGone);
    }
  });
});

describe('help', () => {
  it('lists the commands, and describes each', async () => {
    const { stdout } = await runCli(['--help']);
    for (const name of ['serve', 'token', 'check', 'simulate', 'diagram', 'deploy'])
      expect(stdout).toContain(`\n  ${name} `);
    expect(await runCli(['check', '-h'])).toEqual({ code: 0, stdout: `${help}\n`, stderr: '' });
  });
});
