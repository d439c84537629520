/** The `Host` of a request: no page of another name reaches the server. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileOf, SEQUENCE } from './charts.ts';
import { cleanUp, type Server, startServer } from './server.ts';

let open: Server;
let guarded: Server;
beforeAll(async () => {
  const chart = await fileOf(SEQUENCE);
  const flags = ['--allow-host', 'State.example.com', '--allow-host', 'state.lan'];
  open = await startServer({ chart, flags });
  guarded = await startServer({ chart, env: { TOKEN_SECRET: 'a secret that has bytes enough for it' } });
});
afterAll(cleanUp);

/** Sends a request with this `Host` to a server, and reads its whole answer. */
async function ask(
  server: Server,
  host: string,
  line = 'PUT /state?state=drain',
  more = '',
): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const length = line.startsWith('GET') ? '' : 'Content-Length: 0\r\n';
  socket.write(`${line} HTTP/1.1\r\nHost: ${host}\r\n${more}${length}Connection: close\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe('an open server', () => {
  it.each([
    '127.0.0.1',
    '127.0.0.1:5000',
    '192.0.2.7',
    '[::1]:5000',
    'localhost',
    'LOCALHOST:80',
    'localhost.',
    'state.example.com',
    'state.lan:5000',
  ])('answers where Host is %s', async (host) => {
    expect(await ask(open, host)).toMatch(/^HTTP\/1\.1 (200|406) /);
  });

  it.each(['evil.test', 'evil.test:5000', 'localhost.evil.test', '127.0.0.1.evil.test', 'example.com'])(
    'refuses a name that was rebound to its address: %s',
    async (host) => {
      const page = `Origin: http://${host}\r\nSec-Fetch-Site: same-origin\r\n`;
      for (const line of [
        'PUT /state?state=drain',
        'GET /',
        'GET /healthz',
        'OPTIONS /state',
        'GET /a/b/c/d/e',
      ]) {
        const answer = await ask(open, host, line, page);
        expect(answer, line).toMatch(/^HTTP\/1\.1 421 /);
        expect(answer).toContain(`--allow-host ${host.replace(':5000', '')};`);
      }
    },
  );

  it('counts nothing of what it refuses', async () => {
    const before = await (await fetch(`${open.url}/`)).text();
    await ask(open, 'evil.test', 'PUT /state?state=drain', 'Origin: http://evil.test\r\n');
    expect(await (await fetch(`${open.url}/`)).text()).toBe(before);
  });
});

describe('a server that asks for tokens', () => {
  it('answers under any name: a page has no token', async () => {
    expect(await ask(guarded, 'evil.test', 'GET /healthz')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask(guarded, 'evil.test')).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('a Host that is malformed', () => {
  it.each([
    'a b',
    '%',
    'a/b?c#d',
    'me@localhost',
    'a, b',
    '1.2.3.4.5',
    'localhost:99999',
    '[::zz]',
    '[1::2::3]',
  ])('is 400, with an Origin too: %s', async (host) => {
    for (const more of ['', 'Origin: http://127.0.0.1\r\n']) {
      for (const line of ['GET /', 'PUT /state?state=drain', 'GET /healthz', 'OPTIONS /state']) {
        for (const server of [open, guarded]) {
          expect(await ask(server, host, line, more), line).toMatch(/^HTTP\/1\.1 400 /);
        }
      }
    }
    for (const server of [open, guarded]) expect(server.output()).not.toMatch(/failed|\.ts:/);
  });
});
