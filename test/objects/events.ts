/** A reader of server-sent events (WHATWG HTML, section 9.2), as a browser's EventSource reads them. */
import { send } from '../service.ts';
import { resource } from './callers.ts';

export interface Told {
  readonly id: number | undefined;
  readonly event: string;
  readonly data: unknown;
}

/** The last event that the watcher has. */
interface From {
  /** `?after=` */
  readonly after?: string;
  /** `Last-Event-ID` */
  readonly last?: string;
}

/** Requests a stream. */
export async function openEvents(address: string, { after, last }: From = {}): Promise<Response> {
  const headers = last === undefined ? {} : { 'Last-Event-ID': last };
  return send('GET', resource(address, 'watch', { after }), { headers });
}

/** Watches a machine. @throws if that is refused. */
export async function watch(address: string, from: From = {}): Promise<EventReader> {
  const response = await openEvents(address, from);
  if (response.status !== 200 || response.body === null)
    throw new Error(`it was answered ${response.status}`);
  return new EventReader(response.body);
}

export class EventReader {
  /** Lines that are not events: `retry: 1000`, `: a comment`. */
  readonly asides: string[] = [];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** @returns the next event; undefined at the end of the stream. */
  async next(): Promise<Told | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end === -1) {
        if (!(await this.#read())) return undefined;
        continue;
      }
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const event = this.#parse(block);
      if (event !== undefined) return event;
    }
  }

  /** @returns the id in the first block, which has no event. */
  async begins(): Promise<number> {
    while (!this.#text.includes('\n\n')) await this.#read();
    return Number(/^id: (\d+)$/m.exec(this.#text)?.[1]);
  }

  /** @returns the next `count` events. @throws if the stream ends before. */
  async take(count: number): Promise<Told[]> {
    const events: Told[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === undefined) throw new Error(`the stream ended after ${events.length} of ${count} events`);
      events.push(event);
    }
    return events;
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (value !== undefined) this.#text += this.#decoder.decode(value, { stream: true });
    return !done;
  }

  #parse(block: string): Told | undefined {
    let id: number | undefined;
    let event = 'message';
    let data: string | undefined;
    for (const line of block.split('\n')) {
      const [, field, value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === 'id') id = Number(value);
      else if (field === 'event') event = value;
      else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
      else this.asides.push(line);
    }
    return data === undefined ? undefined : { id, event, data: JSON.parse(data) };
  }
}
