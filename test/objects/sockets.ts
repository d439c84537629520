/** A WebSocket that watches a machine, and its messages. */
import { send } from '../service.ts';
import { type Entry, resource } from './callers.ts';

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export async function askForSocket(address: string, after?: string): Promise<Response> {
  return send('GET', resource(address, 'watch', { after }), { headers: { Upgrade: 'websocket' } });
}

/** Watches a machine. @throws if that is refused. */
export async function openSocket(address: string, after?: string): Promise<Socket> {
  const response = await askForSocket(address, after);
  if (response.webSocket === null) throw new Error(`it was answered ${response.status}`);
  return new Socket(response.webSocket);
}

export class Socket {
  readonly closed: Promise<Closed>;
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  #told: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.#texts.push(String(data));
      this.#told?.();
    });
    this.closed = new Promise((done) => {
      socket.addEventListener('close', ({ code, reason }) => done({ code, reason }));
    });
    socket.accept();
  }

  /** @returns the next message. */
  async text(): Promise<string> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      await new Promise<void>((told) => {
        this.#told = told;
      });
    }
  }

  /** @returns the entries that have come and were not read. */
  rest(): Entry[] {
    return this.#texts.splice(0).map((text) => JSON.parse(text));
  }

  /** @returns the next entry of the history. */
  async next(): Promise<Entry> {
    return JSON.parse(await this.text());
  }

  async take(count: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    while (entries.length < count) entries.push(await this.next());
    return entries;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(code = 1000): void {
    this.#socket.close(code, 'enough');
  }
}
