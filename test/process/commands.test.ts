/** The commands beside `serve` and `token`, as processes. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { help } from '../../src/cli/check.ts';
import { fileOf, folderOf, SEQUENCE, STATECHART } from './charts.ts';
import { cleanUp, runCli, temporaryFolder } from './server.ts';

afterEach(cleanUp);

const WARNED = 'initial: a\nstates:\n  a: {}\n  b: {}\n';

describe('check', () => {
  it('says nothing of the charts that come with the package', async () => {
    expect(await runCli(['check', '--strict', 'charts'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('finds everything in a folder at once, each as file:line:column', async () => {
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
    expect([code, stdout]).toEqual([1, '']);
    const found = stderr
      .trim()
      .split('\n')
      .map((line) => line.replace(`${folder}/`, '').split(': ')[0]);
    expect(found).toEqual([
      'acme/deep/broken.yml:2:1',
      'acme/target.yaml:3:16',
      'two.yaml:3:5',
      'two.yaml:3:5',
    ]);
    expect(stderr).toContain('Did you mean "b"?');
  });

  it('takes a warning for an error where that is asked for, and else not', async () => {
    const file = await fileOf(WARNED);
    const lenient = await runCli(['check', file]);
    expect(lenient.code).toBe(0);
    expect(lenient.stderr).toBe(`${file}:4:3: warning: states.b: No way leads to "b".\n`);
    expect((await runCli(['check', '--strict', file])).code).toBe(1);
  });

  it('is read by machines', async () => {
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

  it('reads a thousand charts in less than five seconds', async () => {
    const folder = await temporaryFolder();
    const text = await readFile('charts/acme/canary.yaml', 'utf8');
    await mkdir(join(folder, 'acme'));
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => writeFile(join(folder, `acme/c${i}.yaml`), text)),
    );
    const began = performance.now();
    expect((await runCli(['check', folder])).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('simulate', () => {
  const canary = 'charts/acme/canary.yaml';

  it('shows where each step leads: states, counts, timers', async () => {
    const { code, stdout } = await runCli(['simulate', canary, 'update', 'update', 'update', '+30m']);
    expect(code).toBe(0);
    expect(stdout).toBe(`start
  canary (update at canary: 0 of 3; timer in 2h)
update
  canary (update at canary: 1 of 3; timer in 2h)
update
  canary (update at canary: 2 of 3; timer in 2h)
update
  soak (timer in 30m)
+30m
  fleet (update at fleet: 0 of 9)
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
      'nothing REFUSED: canary does not take nothing',
      '+soon REFUSED: +soon is no time such as +30m',
      'x:update REFUSED: there is no state x',
    ]);
  });

  it('takes its steps from what is typed, and is read by machines', async () => {
    const args = ['simulate', canary, '--json', '--at', '2026-12-01T00:00:00Z'];
    const { code, stdout } = await runCli(args, {}, 'update\n\n+3h\n');
    expect(code).toBe(0);
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(steps.map(({ step, at, states }) => [step, at, states])).toEqual([
      ['start', '2026-12-01T00:00:00.000Z', ['canary']],
      ['update', '2026-12-01T00:00:00.000Z', ['canary']],
      ['+3h', '2026-12-01T03:00:00.000Z', ['rollback']],
    ]);
    expect(steps[1]).toMatchObject({ ok: true, counts: [{ have: 1, need: 3 }], context: { failed: 0 } });
  });

  it('tells what is wrong with a chart', async () => {
    const file = await fileOf('initial: a\n');
    const { code, stderr } = await runCli(['simulate', file, 'update']);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}:1:`);
  });
});

describe('diagram', () => {
  it('writes the format that the file is called by, or prints it', async () => {
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
});

describe('help', () => {
  it('lists the commands, and tells of each', async () => {
    const { stdout } = await runCli(['--help']);
    for (const name of ['serve', 'token', 'check', 'simulate', 'diagram'])
      expect(stdout).toContain(`\n  ${name} `);
    expect(await runCli(['check', '-h'])).toEqual({ code: 0, stdout: `${help}\n`, stderr: '' });
  });
});
