/** What `turn.sh` does with the answers for one caller: its part is done, the state is closed, all slots are taken. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TIMED } from '../../slowness.ts';
import { cleanUp, temporaryFolder } from '../server.ts';
import { run } from './recipe.ts';
import { startTurns, TURN, type Turns } from './turns.ts';

let turns: Turns;
beforeAll(async () => {
  turns = await startTurns();
});
afterAll(cleanUp);

describe('a caller that has nothing to do', () => {
  const DONE = 'turn.sh: nothing to do: "web-01" has reported in this visit of "during": its part is done.\n';

  it('has run its command already in this visit: started again, it succeeds without the command', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before');
    const again = () => turns.turn(machine, 'during', ['-b', 'web-01'], 'echo', 'ran');
    expect(await again()).toEqual({ code: 0, stdout: 'ran\n', stderr: '' });
    for (const _ of [2, 3]) expect(await again()).toEqual({ code: 0, stdout: '', stderr: DONE });
    expect((await turns.server.status(machine)).quorums).toMatchObject([{ by: ['web-01'] }]);
  });

  it('exits with 77 where it only asks', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before');
    await turns.turn(machine, 'during', ['-b', 'web-01'], 'true');
    expect(await turns.turn(machine, 'during', ['-p', '0', '-b', 'web-01'])).toEqual({
      code: 77,
      stdout: '',
      stderr: DONE,
    });
    expect(await turns.turn(machine, 'during', ['-p', '0', '-b', 'web-02'])).toMatchObject({ code: 0 });
  });

  it('prints nothing with -q', async () => {
    const machine = turns.newRun();
    await turns.send(machine, 'before');
    await turns.turn(machine, 'during', ['-b', 'web-01'], 'true');
    const again = turns.turn(machine, 'during', ['-q', '-b', 'web-01'], 'echo', 'ran');
    expect(await again).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('claims no slot', async () => {
    const machine = turns.newRun('slots');
    await turns.send(machine, 'before');
    const again = () => turns.turn(machine, 'during', ['-c', '-b', 'web-01'], 'echo', 'ran');
    expect(await again()).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect(await again()).toEqual({ code: 0, stdout: '', stderr: DONE });
    expect((await turns.server.status(machine)).claims).toMatchObject([{ holders: [] }]);
  });

  it('runs its command again in the next visit', async () => {
    const machine = turns.newRun('rounds');
    const during = () => turns.turn(machine, 'during', ['-b', 'web-01'], 'echo', 'ran');
    expect(await during()).toMatchObject({ stdout: 'ran\n' });
    await turns.send(machine, 'between');
    expect(await during()).toMatchObject({ stdout: 'ran\n' });
  });

  it('is a member that the state is not for; others are strangers, 76', async () => {
    const machine = turns.newRun('zones');
    const members = 'web-01 zone=us\nweb-02 zone=eu\n';
    expect((await turns.server.ask('PUT', `/${machine}/members`, members)).status).toBe(200);
    const as = (name: string) => turns.turn(machine, 'during', ['-b', name], 'echo', 'ran');
    const notFor = '"during" is not for "web-01", as its `only` says.';
    expect(await as('web-01')).toEqual({
      code: 0,
      stdout: '',
      stderr: `turn.sh: nothing to do: ${notFor}\n`,
    });
    const stranger = '"web-03" is not a member of this machine. Did you mean "web-01"?';
    expect(await as('web-03')).toEqual({ code: 76, stdout: '', stderr: `turn.sh: never: ${stranger}\n` });
    expect(await as('web-02')).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect((await turns.server.status(machine)).states).toEqual(['after']);
  });
});

describe('a closed window', () => {
  it('is "not yet", 75, and says when it opens', async () => {
    const from = Date.now();
    const { code, stdout, stderr } = await turns.turn(
      turns.newRun('closed'),
      'during',
      ['-p', '2'],
      'echo',
      'ran',
    );
    expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
    expect(stderr).toMatch(/^turn\.sh: not yet: "during" is closed: work may be begun from .*Z\.$/m);
    expect(Date.now() - from).toBeGreaterThanOrEqual(1_000);
  });

  it('is waited for without a request, which a signal ends at once', TIMED, async () => {
    const machine = turns.newRun('closed');
    const waiting = spawn(
      TURN,
      ['-t', turns.authorization, `${turns.server.url}/${machine}`, 'during', 'true'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    await once(waiting.stderr, 'data');
    await new Promise((done) => setTimeout(done, 300));
    const from = Date.now();
    waiting.kill('SIGTERM');
    expect(await once(waiting, 'exit')).toEqual([143, null]);
    expect(Date.now() - from).toBeLessThan(5_000);
  });
});

describe('a slot', () => {
  it('is claimed first, so one of three machines works at a time', async () => {
    const machine = turns.newRun('slots');
    await turns.send(machine, 'before');
    const folder = await temporaryFolder();
    // `mkdir` fails if the folder exists: then another machine works at the same time.
    const work = ['sh', '-c', 'mkdir "$1" && sleep 0.3 && rmdir "$1"', 'sh', join(folder, 'working')];
    const ended = ['web-01', 'web-02', 'web-03'].map((name) =>
      turns.turn(machine, 'during', ['-c', '-b', name], ...work),
    );
    for (const { code } of await Promise.all(ended)) expect(code).toBe(0);
    expect((await turns.server.status(machine)).states).toEqual(['after']);
  });

  it('is freed if the command fails', async () => {
    const machine = turns.newRun('slots');
    await turns.send(machine, 'before');
    expect(await turns.turn(machine, 'during', ['-c'], 'false')).toMatchObject({ code: 1, stderr: '' });
    expect((await turns.server.status(machine)).claims).toMatchObject([{ holders: [] }]);
  });

  it('has nobody who renews it after the shortest command, even if a shell loses the signal that says so', async () => {
    const machine = turns.newRun('slots');
    await turns.send(machine, 'before');
    // As a shell that was just forked, and has not set its traps.
    const begin = 'keep_slot() {\n';
    const text = await readFile(TURN, 'utf8');
    expect(text.split(begin).length).toBe(2);
    const file = join(await temporaryFolder(), 'turn.sh');
    await writeFile(file, text.replace(begin, `${begin}trap '' TERM; sleep 1; `), { mode: 0o755 });
    const url = `${turns.server.url}/${machine}`;
    // It ends when all that have its output open have ended. The first renewal would be after five minutes.
    const ran = run(file, ['-t', turns.authorization, '-c', url, 'during', 'echo', 'ran']);
    expect(await ran).toEqual({ code: 0, stdout: 'ran\n', stderr: '' });
  });
});
