/** Uploads that stall, or end too early: they are answered, and their connections are closed. */
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { BODY_WAIT } from '../../src/request-limits.ts';
import { cleanUp, startServer } from './server.ts';

afterEach(cleanUp);

it('a stalled upload is 408, and its connection is closed', async () => {
  const server = await startServer();
  const { hostname, port } = new URL(server.url);
  const began = Date.now();
  const answers = await Promise.all(
    [
      'Content-Length: 100000\r\n\r\ninit',
      'Transfer-Encoding: chunked\r\n\r\n4\r\ninit\r\n',
      'Content-Length: 9\r\n\r\n',
    ].map(async (rest) => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.write(`PUT /acme/other/chart HTTP/1.1\r\nHost: ${hostname}\r\n${rest}`);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      return text;
    }),
  );
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 .*took too long to be sent/s);
  expect(Date.now() - began).toBeGreaterThanOrEqual(BODY_WAIT - 100);
  expect(server.output()).not.toContain('failed');
});

it.each([
  ['ends too early', 'Content-Length: 100\r\n\r\ninit'],
  ['ends too early in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\ninit\r\n'],
  ['has a malformed chunk', 'Transfer-Encoding: chunked\r\n\r\n4\r\ninit\r\nzz\r\n'],
])('an upload that %s is 400, and no fault of the machine', async (_, rest) => {
  const server = await startServer();
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.end(`PUT /acme/other/chart HTTP/1.1\r\nHost: ${hostname}\r\n${rest}`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*did not arrive whole/s);
  expect(server.output()).not.toContain('failed');
});
