import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Listen } from '../../src/cli/listen.ts';
import { startWorkerd } from '../../src/cli/workerd.ts';
import { textFile, WORKER_FILE, workerdConfig } from '../../src/cli/workerd-config.ts';
import { TIMED } from '../slowness.ts';
import { cleanUp, takenPort, temporaryFolder } from './server.ts';

/** A Worker for what ours cannot do: a request without an end, any bytes of a binding, a log. */
const WORKER = `
import { DurableObject } from 'cloudflare:workers';
export class Machine extends DurableObject {}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/endless') await new Promise((done) => setTimeout(done, 60_000));
    if (pathname === '/error') console.error('the Worker says so');
    return new Response(pathname === '/text' ? env.TEXT : '');
  },
};`;

const ANY: Listen = { host: '127.0.0.1', port: 0 };

afterEach(cleanUp);

describe('workerd', () => {
  it.each([
    ['nothing', ''],
    ['the syntax of the configuration', '\\"), (name = "X", text = embed "/etc/passwd"), # \\x00 \\n'],
    ['every ASCII character', String.fromCharCode(...Array(128).keys())],
    ['every plane of Unicode, and a byte order mark', '\ufeffä € 語 😀 👩‍🚒 \u202e\u2028 \ufffd \u{10ffff}'],
  ])('gets a text binding byte for byte: %s', async (_, text) => {
    const { url } = await started(WORKER, text);
    const body = await (await fetch(`${url}/text`)).arrayBuffer();
    expect(Buffer.from(body)).toEqual(Buffer.from(text));
  });

  it('is stopped within a second, also during a request without an end', TIMED, async () => {
    const { url, workerd } = await started();
    const request = fetch(`${url}/endless`).catch(() => 'cut off');
    // The endless request was sent first, so workerd has it when this one is answered.
    await fetch(`${url}/healthz`);
    const from = performance.now();
    await workerd.stop();
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(await workerd.ended).toBe('signal SIGKILL');
    expect(await request).toBe('cut off');
  });

  it('stops at once if no request is in flight', async () => {
    const { workerd } = await started();
    await workerd.stop();
    expect(await workerd.ended).toBe('exit code 0');
  });

  it('says that its port was taken between the check and the start', async () => {
    const port = await takenPort();
    const words = spyOnStderr();
    const outcome = await start(WORKER, '', { host: '127.0.0.1', port });
    expect(outcome).toMatchObject({
      ok: false,
      lines: [`stateservice: port ${port} on 127.0.0.1 is in use`],
    });
    expect(words()).toBe('');
  });

  it('passes its stderr on if the Worker does not start', async () => {
    const words = spyOnStderr();
    const outcome = await start('throw new Error("broken at the start")', '');
    expect(outcome).toMatchObject({
      ok: false,
      lines: [expect.stringMatching(/^stateservice: workerd did not start/)],
    });
    expect(words()).toContain('broken at the start');
  });

  it("passes the Worker's logs on", async () => {
    const words = spyOnStderr();
    const { url } = await started();
    await fetch(`${url}/error`);
    await vi.waitFor(() => expect(words()).toContain('the Worker says so'));
  });

  it('writes a line that clients repeat ten times in a minute', async () => {
    const words = spyOnStderr();
    const { url, workerd } = await started();
    for (let i = 0; i < 25; i++) await fetch(`${url}/error`);
    await workerd.stop();
    await vi.waitFor(() => expect(words()).toContain('15 more lines of workerd'));
    expect(words().match(/the Worker says so/g)).toHaveLength(10);
  });

  it('does not start after it was stopped', async () => {
    const outcome = await start(WORKER, '', ANY, AbortSignal.abort());
    expect(outcome).toMatchObject({
      ok: false,
      lines: [expect.stringContaining('stopped before the start')],
    });
  });
});

async function start(worker: string, text: string, listen = ANY, stopping = new AbortController().signal) {
  const folder = await temporaryFolder();
  const folders = { charts: join(folder, 'charts'), data: join(folder, 'data') };
  for (const path of Object.values(folders)) await mkdir(path);
  await writeFile(join(folder, WORKER_FILE), worker);
  await writeFile(join(folder, textFile('TEXT')), text);
  const configFile = join(folder, 'config.capnp');
  await writeFile(configFile, workerdConfig({ date: '2026-11-01', flags: [] }, ['TEXT']));
  const outcome = await startWorkerd(configFile, folders, listen, stopping);
  await rm(configFile);
  if (outcome.ok) onTestFinished(() => outcome.value.stop());
  return outcome;
}

async function started(worker = WORKER, text = '') {
  const outcome = await start(worker, text);
  if (!outcome.ok) throw new Error(outcome.lines.join('\n'));
  return { workerd: outcome.value, url: `http://127.0.0.1:${outcome.value.port}` };
}

/** @returns the output to this process's stderr since the call. */
function spyOnStderr(): () => string {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  onTestFinished(() => write.mockRestore());
  return () => write.mock.calls.map(([chunk]) => Buffer.from(chunk).toString()).join('');
}
