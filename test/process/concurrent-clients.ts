/** Clients that send requests concurrently. */
import { connect } from 'node:net';

export const CLIENTS = 64;

/** Runs `act` for every client at once. @returns the results, in order. */
export function concurrently<Result>(act: (i: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: CLIENTS }, (_, i) => act(i)));
}

/** Sends as many `GET` requests, which disconnect within `most` ms. Resolves when all have disconnected. */
export async function disconnectingClients(url: string, path: string, most: number): Promise<void> {
  const { hostname, port } = new URL(url);
  await concurrently((i) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      setTimeout(() => socket.destroy(), i % most);
    });
    socket.on('error', () => {});
    return new Promise((gone) => socket.on('close', gone));
  });
}
