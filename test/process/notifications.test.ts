/** Notifications to real receivers, good and bad. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort, isListening, passOn, type Receiver, SECRET, startReceiver, verify } from './receiver.ts';
import { cleanUp, type Server, startServer, until } from './server.ts';

/** How long a message may take to arrive, in ms: an attempt ends after 10 s, and is made again after 5 s. */
const SOON = 50_000;

const RECIPE = resolve(import.meta.dirname, '../../docs/recipes/hooks/receiver.mjs');

const OTHER_SECRET = `whsec_${Buffer.from('another secret of the tests').toString('base64')}`;

let receiver: Receiver;
let server: Server;

beforeAll(async () => {
  receiver = await startReceiver();
  const hook = (path: string) => `${receiver.url}/${path} ${SECRET}`;
  server = await startServer({
    env: {
      HOOK_OPS: `${hook('ops')} ${OTHER_SECRET}`,
      HOOK_CHAT: hook('chat'),
      HOOK_HANGS: hook('hangs'),
      HOOK_REDIRECTS: hook('redirects'),
      HOOK_FLOODS: hook('floods'),
      HOOK_SELF: hook('self'),
      HOOK_GONE: hook('gone'),
      HOOK_PLAIN: `http://example.com/ ${SECRET}`,
    },
  });
});
afterAll(async () => {
  receiver.stop();
  await cleanUp();
});

/** Starts a machine that goes from `a` to `b` and back, and from `c` to `late` by itself. */
async function upload(address: string, notify: readonly object[]): Promise<string> {
  const broken = { actions: { assign: { n: 'context.none + 1' } } };
  const states = {
    a: { on: { update: 'b', broken } },
    b: { on: { update: 'a', wait: 'c' } },
    c: { after: { '200ms': 'late' } },
    late: {},
  };
  const url = `${server.url}/${address}`;
  await accepted(`${url}/chart`, 'PUT', JSON.stringify({ initial: 'a', notify, states }));
  return url;
}

async function accepted(url: string, method: string, body?: string): Promise<void> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  await response.body?.cancel();
}

interface Outbox {
  readonly hooks: readonly { readonly hook: string; readonly problem?: string; readonly pending: number }[];
  readonly notifications: readonly {
    readonly id: number;
    readonly hook: string;
    readonly status: string;
    readonly attempts: number;
    readonly failure: string | null;
  }[];
}

async function outboxOf(url: string): Promise<Outbox> {
  return (await (await fetch(`${url}/notifications?limit=1000`)).json()) as Outbox;
}

async function statusesOf(url: string, hook: string): Promise<string[]> {
  const { notifications } = await outboxOf(url);
  return notifications.filter((message) => message.hook === hook).map(({ status }) => status);
}

/** The ids of the entries that a path was told of a machine, in order. */
function toldOf(path: string, machine: string): number[] {
  return receiver
    .at(path)
    .filter((message) => message.machine === machine)
    .map(({ id }) => id);
}

describe('a message', () => {
  it('is the entry of the history with the address, signed with each secret of the hook', async () => {
    const url = await upload('acme/signed', [{ on: 'a', to: 'OPS' }]);
    await until(() => toldOf('/ops', 'acme/signed').length === 1, SOON);
    const [message] = receiver.received.filter(({ body }) => body.includes('acme/signed'));
    if (message === undefined) throw new Error('there is none');
    const { history } = (await (await fetch(`${url}/history`)).json()) as { history: object[] };
    const told = { machine: 'acme/signed', ...history.at(-1) };
    expect(verify(message)).toEqual(told);
    expect(verify(message, OTHER_SECRET)).toEqual(told);
    expect(() => verify({ ...message, body: message.body.replace('acme', 'acne') })).toThrow();
    expect(message.headers['webhook-id']).toBe('acme/signed:1:1');
    await until(async () => (await statusesOf(url, 'OPS')).join() === 'sent', SOON);
  });

  it('tells of states that are entered, of pauses, overrides and refusals, and of nothing else', async () => {
    const url = await upload('acme/told', [
      { on: ['b', 'paused'], to: 'OPS' },
      { on: ['overridden', 'refused'], to: 'CHAT' },
    ]);
    await accepted(`${url}/state?state=a`, 'PUT');
    await accepted(`${url}/pause`, 'POST');
    await accepted(`${url}/resume`, 'POST');
    await accepted(`${url}/override?to=a&reason=test`, 'POST');
    const broken = await fetch(`${url}/state?state=a&event=broken`, { method: 'PUT' });
    expect(broken.status).toBe(406);
    await until(() => toldOf('/chat', 'acme/told').length === 2, SOON);
    await until(() => toldOf('/ops', 'acme/told').length === 2, SOON);
    const causes = ['/ops', '/chat'].map((path) =>
      receiver.at(path).flatMap(({ machine, cause }) => (machine === 'acme/told' ? [cause] : [])),
    );
    expect(causes).toEqual([
      ['update', 'pause'],
      ['override', 'refused'],
    ]);
  });

  it('is sent again by hand, with the same id, and the history says who asked for it', async () => {
    receiver.behaviours.set('/gone', (_, response) => response.writeHead(410).end());
    const url = await upload('acme/again', [{ on: 'a', to: 'GONE' }]);
    await until(async () => (await statusesOf(url, 'GONE')).join() === 'failed', SOON);
    receiver.behaviours.delete('/gone');
    await accepted(`${url}/notifications/1?by=ann`, 'POST');
    await until(async () => (await statusesOf(url, 'GONE')).join() === 'sent', SOON);
    const messages = receiver.received.filter(({ body }) => body.includes('acme/again'));
    expect(new Set(messages.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(messages).toHaveLength(2);
    const { history } = (await (await fetch(`${url}/history`)).json()) as { history: object[] };
    expect(history[0]).toMatchObject({ cause: 'resend', by: 'ann', notes: ['the entry 1, to GONE'] });
    const none = await fetch(`${url}/notifications/99`, { method: 'POST' });
    expect(none.status).toBe(404);
  });
});

describe('the receiver of the recipe', () => {
  it('takes what is signed with its secret, and prints it once', async () => {
    const port = await freePort();
    const recipe = spawn(process.execPath, [RECIPE, String(port)], {
      env: { HOOK_SECRET: SECRET },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void recipe.kill());
    let printed = '';
    recipe.stdout.on('data', (chunk: Buffer) => {
      printed += chunk;
    });
    const address = `http://127.0.0.1:${port}/`;
    await until(() => isListening(port), SOON);
    receiver.behaviours.set('/chat', passOn(address));
    const url = await upload('acme/recipe', [{ on: 'a', to: 'CHAT' }]);
    await accepted(`${url}/override?to=a&reason=again&by=ann`, 'POST');
    await until(async () => (await statusesOf(url, 'CHAT')).join() === 'sent,sent', SOON);
    receiver.behaviours.delete('/chat');
    const [message] = receiver.received.filter(({ body }) => body.includes('acme/recipe'));
    if (message === undefined) throw new Error('there is none');
    const signed = Object.fromEntries(
      Object.entries(message.headers).flatMap(([name, value]) =>
        name.startsWith('webhook-') ? [[name, String(value)]] : [],
      ),
    );
    const post = (body: string, headers = {}) =>
      fetch(address, { method: 'POST', body, headers: { ...signed, ...headers } });
    expect((await post(message.body)).status).toBe(204);
    expect((await post(`${message.body} `)).status).toBe(401);
    expect((await post(message.body, { 'webhook-id': 'other' })).status).toBe(401);
    expect((await fetch(address, { method: 'POST', body: message.body })).status).toBe(401);
    await until(() => printed.split('\n').length === 3, SOON);
    expect(printed).toBe('acme/recipe · upload · a\nacme/recipe · override · a · ann · again\n');
  });
});

describe('a receiver that fails', () => {
  it('gets its messages again, in order', async () => {
    let failures = 1;
    receiver.behaviours.set('/chat', ({ body }, response) => {
      const isRefused = body.includes('acme/order') && JSON.parse(body).id === 3 && failures-- > 0;
      response.writeHead(isRefused ? 500 : 204).end();
    });
    const url = await upload('acme/order', [{ on: ['a', 'b'], to: 'CHAT' }]);
    for (const state of ['a', 'b', 'a', 'b', 'a']) await accepted(`${url}/state?state=${state}`, 'PUT');
    await until(() => toldOf('/chat', 'acme/order').length === 7, SOON);
    expect(toldOf('/chat', 'acme/order')).toEqual([1, 2, 3, 3, 4, 5, 6]);
    receiver.behaviours.delete('/chat');
  });

  it('holds up no request, no timer and no other hook', async () => {
    let isOpen = 0;
    let flooded = 0;
    receiver.behaviours.set('/hangs', (_, response) => {
      isOpen += 1;
      response.on('close', () => {
        isOpen -= 1;
      });
    });
    receiver.behaviours.set('/redirects', (_, response) =>
      response.writeHead(302, { Location: `${receiver.url}/stolen` }).end(),
    );
    // A gigabyte, as fast as it is read.
    receiver.behaviours.set('/floods', (_, response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      response.writeHead(200);
      const write = () => {
        while (flooded < 1024 && !response.destroyed) {
          flooded += 1;
          if (!response.write(chunk)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    receiver.behaviours.set('/self', passOn(`${server.url}/acme/held/report?state=a`));
    const hooks = ['HANGS', 'REDIRECTS', 'FLOODS', 'SELF', 'OPS'];
    const url = await upload(
      'acme/held',
      hooks.map((to) => ({ on: ['a', 'b', 'late'], to })),
    );
    await until(() => isOpen === 1, SOON);
    for (let i = 0; i < 21; i++) await accepted(`${url}/state?state=${i % 2 === 0 ? 'a' : 'b'}`, 'PUT');
    // A timer, which no request fires.
    await accepted(`${url}/state?state=b&event=wait`, 'PUT');
    await until(() => toldOf('/ops', 'acme/held').length === 23, SOON);
    expect(toldOf('/ops', 'acme/held')).toEqual([...Array.from({ length: 22 }, (_, i) => i + 1), 24]);
    const { revision, states } = (await (await fetch(url)).json()) as { revision: number; states: string[] };
    expect({ revision, states }).toEqual({ revision: 24, states: ['late'] });
    const last = async (hook: string) =>
      (await outboxOf(url)).notifications.filter((message) => message.hook === hook).at(-1);
    await until(async () => (await last('FLOODS'))?.status === 'sent', SOON);
    expect(flooded).toBeLessThan(1024);
    expect(await last('HANGS')).toMatchObject({ id: 1, status: 'pending' });
    expect(await last('REDIRECTS')).toMatchObject({
      id: 1,
      status: 'pending',
      failure: 'answered 302, and redirects are not followed',
    });
    expect(receiver.at('/stolen')).toEqual([]);
    // The service has refused its own messages, and they are not tried again.
    expect(await last('SELF')).toMatchObject({
      id: 1,
      status: 'failed',
      attempts: 1,
      failure: 'answered 508',
    });
  });
});

describe('a hook that is not set, or is set wrong', () => {
  it('is named by the status, the messages, the metrics and the start of the server', async () => {
    const url = await upload('acme/unset', [
      { on: 'a', to: 'NONE' },
      { on: 'a', to: 'PLAIN' },
    ]);
    const problems = ['HOOK_NONE is not set', 'HOOK_PLAIN must have an https address'];
    const { hooks } = (await (await fetch(url)).json()) as Outbox;
    expect(hooks).toEqual([
      { hook: 'NONE', problem: problems[0] },
      { hook: 'PLAIN', problem: problems[1] },
    ]);
    await until(async () => (await outboxOf(url)).notifications.every(({ failure }) => failure !== null));
    const outbox = await outboxOf(url);
    expect(outbox.hooks.map(({ problem }) => problem)).toEqual(problems);
    expect(outbox.notifications.map(({ failure }) => failure)).toEqual(problems);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('stateservice_hook_set{machine="acme/unset",hook="PLAIN"} 0');
    expect(metrics).toContain('stateservice_notifications_pending{machine="acme/unset",hook="PLAIN"} 1');
    expect(server.output()).toContain(problems[1]);
    expect(server.output()).not.toContain('whsec_');
  });
});
