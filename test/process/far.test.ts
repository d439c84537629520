/** Requests that go to their machine together, where it is not in the same thread: as at Cloudflare. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { bundleWorker, PACKAGE_ROOT } from '../../src/cli/bundle.ts';
import { startWorkerd, type Workerd } from '../../src/cli/workerd.ts';
import { readCompatibility, WORKER_FILE, workerdConfig } from '../../src/cli/workerd-config.ts';
import { BATCH_WAIT } from '../../src/limits.ts';
import { CROWD, crowd, leavingCrowd } from './crowd.ts';
import { cleanUp, temporaryFolder } from './server.ts';

const HOST = '127.0.0.1';

/** How long the object's answer is under way, ms: as in `far.ts`. */
const FAR = 30;

let workerd: Workerd | undefined;
afterEach(async () => {
  await workerd?.stop();
  workerd = undefined;
  await cleanUp();
});

describe('requests to a machine that is far away', () => {
  it('go together, and are all answered', async () => {
    const url = await serve();
    const answers = await crowd(() => ask(url, 'a'));
    expect(answers.map(({ status }) => status)).toEqual(Array(CROWD).fill(200));
    const calls = Math.max(...answers.map(({ text }) => Number(text)));
    expect(calls).toBeLessThan(CROWD / 4);
  });

  it('wait for those who have come with them before', async () => {
    const url = await serve();
    const { status, text } = await ask(url, 'a&rounds=20');
    expect(status).toBe(200);
    // One for the first, two until it is known that eight come, and one for each round after that: 22. Two a round are 41.
    expect(Number(text)).toBeGreaterThanOrEqual(22);
    expect(Number(text)).toBeLessThan(30);
  });

  it('fail alone', async () => {
    const url = await serve();
    const answers = await crowd((i) => ask(url, i % 3 === 0 ? 'fault' : 'a'));
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i % 3 === 0 ? 500 : 200)));
    for (const { status, text } of answers)
      expect(text).toMatch(status === 500 ? /^internal-error$/ : /^\d+$/);
  });

  it('are answered though those leave who have come with them', async () => {
    const url = await serve();
    for (let round = 0; round < 10; round++) {
      const leaving = leavingCrowd(url, '/?state=a', 12);
      const answers = await crowd(() => ask(url, 'a'));
      expect(answers.map(({ status }) => status)).toEqual(Array(CROWD).fill(200));
      await leaving;
    }
  });

  it('go alone again soon, though one does not come back', async () => {
    const url = await serve();
    const leaving = new AbortController();
    const left = fetch(`${url}/?state=slow`, { signal: leaving.signal }).catch(({ name }) => name);
    setTimeout(() => leaving.abort(), 30);
    expect(await left).toBe('AbortError');
    const took = [];
    for (let i = 0; i < 12; i++) took.push(Number((await ask(url, 'took')).text));
    // A call that waited for the one in flight took longer than the way there and back, by `BATCH_WAIT`.
    expect(Math.min(...took.slice(-6))).toBeLessThan(FAR + BATCH_WAIT);
  });

  it('go each by itself where the platform keeps requests apart', async () => {
    const url = await serve(['no_handle_cross_request_promise_resolution']);
    const answers = await crowd(() => ask(url, 'a'));
    expect(answers.map(({ status }) => status)).toEqual(Array(CROWD).fill(200));
    expect(Math.max(...answers.map(({ text }) => Number(text)))).toBe(CROWD);
  });
});

/** Serves `far.ts`. */
async function serve(flags: readonly string[] = []): Promise<string> {
  const folder = await temporaryFolder();
  const compatibility = readCompatibility(await readFile(join(PACKAGE_ROOT, 'wrangler.toml'), 'utf8'));
  if (compatibility === undefined) throw new Error('wrangler.toml has no compatibility_date');
  const bundled = await bundleWorker(join(folder, WORKER_FILE), 'test/process/far.ts');
  if (!bundled.ok) throw new Error(bundled.lines.join('\n'));
  const config = join(folder, 'far.capnp');
  await writeFile(config, workerdConfig({ ...compatibility, flags: [...compatibility.flags, ...flags] }, []));
  const folders = { charts: folder, data: await temporaryFolder() };
  const started = await startWorkerd(config, folders, { host: HOST, port: 0 }, new AbortController().signal);
  if (!started.ok) throw new Error(started.lines.join('\n'));
  workerd = started.value;
  return `http://${HOST}:${workerd.port}`;
}

async function ask(url: string, state: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/?state=${state}`, { signal: AbortSignal.timeout(5_000) });
  return { status: response.status, text: await response.text() };
}
