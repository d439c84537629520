/** A workerd that ends without a signal of the server is restarted. */
import { afterEach, expect, it } from 'vitest';
import { TIMED } from '../slowness.ts';
import { fileOf, SEQUENCE } from './charts.ts';
import { cleanUp, isAlive, startServer, until } from './server.ts';

afterEach(cleanUp);

it('answers on the same port, with everything that was acknowledged', async () => {
  const server = await startServer({ chart: await fileOf(SEQUENCE) });
  expect(await statusOf(`${server.url}/state?state=drain`, 'PUT')).toBe(200);
  server.killWorkerd();
  await until(() => server.output().includes('workerd has restarted'));

  // The second of two: the first was counted.
  expect(await statusOf(`${server.url}/state?state=drain`, 'PUT')).toBe(200);
  expect(await statusOf(`${server.url}/state?state=done`)).toBe(200);
  expect(server.output()).toContain('stateservice: workerd ended: signal SIGKILL; restarting in 0.1 s\n');
  expect((await server.stop()).code).toBe(0);
});

it('waits longer each time, and stops at once while it waits', TIMED, async () => {
  const server = await startServer();
  for (const seconds of [0.1, 0.2, 0.4]) {
    server.killWorkerd();
    await until(() => server.output().includes(`restarting in ${seconds} s`));
    await until(() => server.output().split('has restarted').length > [0.1, 0.2, 0.4].indexOf(seconds) + 1);
  }
  server.killWorkerd();
  await until(() => server.output().includes('restarting in 0.8 s'));
  const { code, took } = await server.stop();
  expect(code).toBe(0);
  expect(took).toBeLessThan(1_000);
  expect(isAlive(server.workerdPid)).toBe(false);
});

async function statusOf(url: string, method = 'GET'): Promise<number> {
  const response = await fetch(url, { method });
  await response.arrayBuffer();
  return response.status;
}
