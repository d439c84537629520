import { createServer } from 'node:net';

/** @returns a port of 127.0.0.1 that was free a moment ago, for a peer that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen({ host: '127.0.0.1', port: 0 }, done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('it listened on no port');
  return address.port;
}
