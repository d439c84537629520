/** Clients that come at once. */
import { connect } from 'node:net';

export const CROWD = 64;

/** @returns their answers, in order. */
export function crowd<Answer>(act: (i: number) => Promise<Answer>): Promise<Answer[]> {
  return Promise.all(Array.from({ length: CROWD }, (_, i) => act(i)));
}

/** As many ask by `GET`, and leave within `most` ms. Fulfilled when all are gone. */
export async function leavingCrowd(url: string, path: string, most: number): Promise<void> {
  const { hostname, port } = new URL(url);
  await crowd((i) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      setTimeout(() => socket.destroy(), i % most);
    });
    socket.on('error', () => {});
    return new Promise((gone) => socket.on('close', gone));
  });
}
