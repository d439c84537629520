/** Requests that come at once reach the machine together, and each is answered as if it had come by itself. */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { fileOf } from './charts.ts';
import { cleanUp, type Server, startServer } from './server.ts';

afterEach(cleanUp);

const CROWD = 64;
const CHART = `current_state: a
states:
  - {name: a, func: increment, current: {key: n, value: 0}, target: {name: b, when: {key: n, value: ${CROWD}}}}
  - {name: b}
`;

describe('requests that come at once', () => {
  it('are each told what they have asked for', async () => {
    const server = await startServer({ chart: await fileOf(CHART) });
    const names = ['a', 'b', 'nowhere'];
    const answers = await crowd(async (i) => {
      const response = await send(server, 'GET', names[i % 3] ?? '');
      return { status: response.status, body: await response.text() };
    });
    for (const [i, { status, body }] of answers.entries()) {
      expect(status).toBe(i % 3 === 0 ? 200 : 406);
      expect(body).toContain(names[i % 3]);
    }
  });

  it('are counted once each, and no more than the chart takes', async () => {
    const server = await startServer({ chart: await fileOf(CHART) });
    const answers = await crowd((i) => send(server, 'PUT', 'a', `&by=w${i}`));
    expect(answers.map(({ status }) => status)).toEqual(Array(CROWD).fill(200));
    expect((await send(server, 'GET', 'b')).status).toBe(200);
    expect((await send(server, 'PUT', 'a', '&by=late')).status).toBe(406);
  });

  it('are answered though those leave who have come with them', async () => {
    const server = await startServer({ chart: await fileOf(CHART) });
    for (let round = 0; round < 10; round++) {
      const { hostname, port } = new URL(server.url);
      for (let i = 0; i < CROWD; i++) {
        const socket = connect(Number(port), hostname, () => {
          socket.write('GET /state?state=a HTTP/1.1\r\nHost: localhost\r\n\r\n');
          setTimeout(() => socket.destroy(), i % 4);
        });
        socket.on('error', () => {});
      }
      const answers = await crowd(() => send(server, 'GET', 'a'));
      expect(answers.map(({ status }) => status)).toEqual(Array(CROWD).fill(200));
    }
  });
});

function crowd<Answer>(act: (i: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: CROWD }, (_, i) => act(i)));
}

function send({ url }: Server, method: 'GET' | 'PUT', state: string, more = ''): Promise<Response> {
  return fetch(`${url}/state?state=${state}${more}`, { method, signal: AbortSignal.timeout(5_000) });
}
