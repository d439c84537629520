/** Coalescing of requests to a machine in another thread, as at Cloudflare (`src/edge/coalesce.ts`). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { bundleWorker, PACKAGE_ROOT } from '../../src/cli/bundle.ts';
import { startWorkerd, type Workerd } from '../../src/cli/workerd.ts';
import { readCompatibility, WORKER_FILE, workerdConfig } from '../../src/cli/workerd-config.ts';
import { TIMED } from '../slowness.ts';
import { CLIENTS, concurrently, disconnectingClients } from './concurrent-clients.ts';
import { cleanUp, temporaryFolder } from './server.ts';

const HOST = '127.0.0.1';

let workerd: Workerd | undefined;
afterEach(async () => {
  await workerd?.stop();
  workerd = undefined;
  await cleanUp();
});

describe('requests to a machine that is far away', () => {
  it('are coalesced, and all answered', TIMED, async () => {
    const url = await serve();
    const answers = await concurrently(() => ask(url, 'a'));
    expect(answers.map(({ status }) => status)).toEqual(Array(CLIENTS).fill(200));
    const calls = Math.max(...answers.map(({ text }) => Number(text)));
    expect(calls).toBeLessThan(CLIENTS / 4);
  });

  it('wait for callers that came concurrently before', async () => {
    const url = await serve();
    const { status, text } = await ask(url, 'a&rounds=20');
    expect(status).toBe(200);
    // One RPC for the first call, two until the estimate is eight, and one for each later round: 22. Two a round are 41.
    expect(Number(text)).toBeGreaterThanOrEqual(22);
    expect(Number(text)).toBeLessThan(30);
  });

  it('fail alone', async () => {
    const url = await serve();
    const answers = await concurrently((i) => ask(url, i % 3 === 0 ? 'fault' : 'a'));
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i % 3 === 0 ? 500 : 200)));
    for (const { status, text } of answers)
      expect(text).toMatch(status === 500 ? /^internal-error$/ : /^\d+$/);
  });

  it('are answered if other clients of the batch disconnect', async () => {
    const url = await serve();
    for (let round = 0; round < 10; round++) {
      const leaving = disconnectingClients(url, '/?state=a', 12);
      const answers = await concurrently(() => ask(url, 'a'));
      expect(answers.map(({ status }) => status)).toEqual(Array(CLIENTS).fill(200));
      await leaving;
    }
  });

  it('are answered, even if one never returns', async () => {
    const url = await serve();
    const leaving = new AbortController();
    const left = fetch(`${url}/?state=slow`, { signal: leaving.signal }).catch(({ name }) => name);
    setTimeout(() => leaving.abort(), 30);
    expect(await left).toBe('AbortError');
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push((await ask(url, 'a')).status);
    expect(answers).toEqual(Array(12).fill(200));
  });

  it('are sent alone if the platform does not let requests share promises', async () => {
    const url = await serve(['no_handle_cross_request_promise_resolution']);
    const answers = await concurrently(() => ask(url, 'a'));
    expect(answers.map(({ status }) => status)).toEqual(Array(CLIENTS).fill(200));
    expect(Math.max(...answers.map(({ text }) => Number(text)))).toBe(CLIENTS);
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
