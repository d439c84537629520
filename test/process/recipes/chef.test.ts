/** Runs the Ruby of the recipe for Chef, unchanged, under a substitute for Chef's DSL. Chef itself is not run. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Guarded, lacks, type Ran, recipe, run, startGuarded } from './recipe.ts';

const CHARTS = {
  'acme/canary.yaml': `initial: before
states:
  before: { on: { update: canary, skip: after } }
  canary:
    on:
      update: { target: after, quorum: 2 }
      fail: failed
  after: { type: final }
  failed: { type: final }
`,
  'acme/maintenance.yaml': `initial: before
states:
  before: { on: { update: window } }
  window: {}
`,
};

let server: Guarded;
beforeAll(async () => {
  server = await startGuarded(CHARTS);
});
afterAll(cleanUp);

let runs = 0;

/** Nodes of one run of the charts. */
async function newFleet(deploy: string, token?: string) {
  runs += 1;
  const id = String(runs);
  const cookbook = await temporaryFolder();
  await cp(recipe('chef'), cookbook, { recursive: true });
  await writeFile(join(cookbook, 'token'), `${token ?? (await server.token('read', 'update'))}\n`);
  const text = (await readFile(recipe('chef/recipes/default.rb'), 'utf8'))
    .replaceAll(/https:\/\/state\.example\.com\/(acme\/\w+)/g, `${server.url}/$1@${id}`)
    .replace('/usr/local/sbin/deploy', deploy)
    .replace('/usr/local/sbin/patch', 'echo patched')
    .replace('/etc/stateservice/authorization', await server.authorization('read'))
    .replace("fail_event 'fail'", `fail_event 'fail'\n  token_file '${join(cookbook, 'token')}'`);
  await writeFile(join(cookbook, 'recipes/default.rb'), text);
  return {
    machine: `acme/canary@${id}`,
    send: async (machine: string, state: string, event = 'update') => {
      const { status } = await server.ask(
        'PUT',
        `/acme/${machine}@${id}/state?state=${state}&event=${event}`,
      );
      expect(status).toBe(200);
    },
    converge: (node: string): Promise<Ran> =>
      run('ruby', [resolve(import.meta.dirname, 'chef/stand-in.rb'), cookbook, node]),
  };
}

describe.skipIf(lacks('ruby'))('a node that converges, in ruby', () => {
  it('does nothing before its turn', async () => {
    const { converge } = await newFleet('echo deployed');
    expect(await converge('web-01')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('runs its command once at its turn, and reports with its own name', async () => {
    const { machine, send, converge } = await newFleet('echo deployed');
    await send('canary', 'before');
    expect((await converge('web-01')).stdout).toContain('take the turn of web-01 at canary\ndeployed\n');
    expect((await server.status(machine)).quorums).toMatchObject([{ event: 'update', by: ['web-01'] }]);
    // The state is still current, because web-02 has not reported.
    expect(await converge('web-01')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await converge('web-02')).stdout).toContain('deployed');
    expect((await server.status(machine)).states).toEqual(['after']);
  });

  it('logs that its turn cannot come any more, and continues', async () => {
    const { send, converge } = await newFleet('echo deployed');
    await send('canary', 'before', 'skip');
    const { code, stdout } = await converge('web-01');
    expect(code).toBe(0);
    expect(stdout).toBe(
      'WARN: canary: "canary" is not current and cannot come any more; current: "after".\n',
    );
  });

  it('reports a failure, and fails', async () => {
    const { machine, send, converge } = await newFleet('exit 3');
    await send('canary', 'before');
    const { code, stderr } = await converge('web-01');
    expect(code).toBe(1);
    expect(stderr).toContain('exit 3 ended with 3');
    expect((await server.status(machine)).states).toEqual(['failed']);
  });

  it('fails with a token that is not valid', async () => {
    const { converge } = await newFleet('echo deployed', 'wrong');
    const { code, stdout, stderr } = await converge('web-01');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('The token is not one of ours.');
  });

  it('patches in the window of its guard, and not before', async () => {
    const { send, converge } = await newFleet('echo deployed');
    expect((await converge('web-01')).stdout).toBe('');
    await send('maintenance', 'before');
    expect((await converge('web-01')).stdout).toBe('patched\n');
  });
});
