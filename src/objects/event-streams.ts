import { STREAM_PAGE, STREAM_PAGES, STREAM_STALL, STREAMS } from '../limits.ts';
import type { HistoryEntry, HistoryTable } from '../store/history-table.ts';
import { showEntry } from './shown-entry.ts';

/** How often a machine with the most streams checks which readers have left, in ms. The heartbeat checks it too. */
const STREAM_PROBE = 1_000;

/**
 * The time between two comments that keep a silent stream open, in ms: under the minute after which proxies close it. The
 * platform reports that a reader has left only when it is written to, so a place is free that much later.
 */
export const STREAM_HEARTBEAT = 5_000;

/**
 * The streams of server-sent events (WHATWG HTML, section 9.2) of one machine. A stream has no queue, only the id of its
 * next entry: if its reader has read everything, it gets new entries as they are committed; if the reader lags, it gets
 * its next page from storage. So a reader that does not read costs one page of memory, and misses nothing.
 */
export class EventStreams {
  readonly #history: HistoryTable;
  /** Reads how many entries were written to the history. */
  readonly #entries: () => number;
  readonly #onSize: (size: number) => void;
  readonly #streams = new Set<EventStream>();
  /** Streams that wait for a page from storage, first come first served. */
  readonly #lagging = new Set<EventStream>();
  /** LRU cache of pages by their first id: readers that reconnect at the same time read the same pages. */
  readonly #pages = new Map<number, KeptPage>();
  #isServing = false;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #probed = 0;

  constructor(history: HistoryTable, entries: () => number, onSize: (size: number) => void) {
    this.#history = history;
    this.#entries = entries;
    this.#onSize = onSize;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Whether no more may be opened. Before it says so, it probes for readers that have left. */
  get isFull(): boolean {
    if (this.#streams.size < STREAMS) return false;
    const now = Date.now();
    if (now - this.#probed >= STREAM_PROBE) {
      this.#probed = now;
      this.#beat();
    }
    return this.#streams.size >= STREAMS;
  }

  /**
   * Opens a stream.
   *
   * @param next the id of the first entry of the stream.
   * @param until the end of the reader's token, ms since the epoch. The stream ends with it.
   */
  open(next: number, until: number): ReadableStream<Uint8Array> {
    const stream = new EventStream(next, until, {
      onWait: () => this.#serve(stream),
      onEnd: () => this.#drop(stream),
    });
    this.#streams.add(stream);
    this.#onSize(this.#streams.size);
    this.#heartbeat ??= setInterval(() => this.#beat(), STREAM_HEARTBEAT);
    return stream.readable;
  }

  /** Gives committed entries to the streams that wait for them. */
  tell(entries: readonly HistoryEntry[]): void {
    const [first] = entries;
    if (first === undefined || this.#streams.size === 0) return;
    const page = { bytes: encoder.encode(entries.map(eventText).join('')), next: first.id + entries.length };
    for (const stream of this.#streams) {
      if (!stream.isWaiting) continue;
      if (stream.next === first.id) stream.give(page);
      else this.#serve(stream);
    }
  }

  /** Lets every stream that waits continue from storage. */
  catchUp(): void {
    for (const stream of this.#streams) if (stream.isWaiting) this.#serve(stream);
  }

  /** Ends all streams: the machine was erased, or storage cannot be read. */
  close(): void {
    this.#pages.clear();
    for (const stream of this.#streams) stream.end();
  }

  #serve(stream: EventStream): void {
    if (stream.next > this.#entries()) return;
    this.#lagging.add(stream);
    if (!this.#isServing) void this.#serveAll();
  }

  /** Reads one page at a time, and yields to other requests of the process between two: a page takes 1 to 3 ms. */
  async #serveAll(): Promise<void> {
    this.#isServing = true;
    try {
      let cost = 0;
      // A stream that is added again meanwhile comes last.
      for (const stream of this.#lagging) {
        this.#lagging.delete(stream);
        if (!stream.isWaiting) continue;
        const kept = this.#keptPage(stream.next);
        stream.give(kept ?? this.#readPage(stream.next));
        cost += kept === undefined ? 1 : KEPT_COST;
        if (cost < 1) continue;
        await scheduler.wait(1);
        cost = 0;
      }
    } finally {
      this.#isServing = false;
    }
  }

  #keptPage(from: number): KeptPage | undefined {
    const page = this.#pages.get(from);
    if (page === undefined || !(page.isFull || page.next > this.#entries())) return undefined;
    this.#pages.delete(from);
    this.#pages.set(from, page);
    return page;
  }

  #readPage(from: number): Page {
    const entries = this.#entries();
    const found = this.#history.readAfter(entries, from - 1, STREAM_PAGE);
    const first = found[0]?.id ?? entries + 1;
    const next = (found.at(-1)?.id ?? entries) + 1;
    const gap = first > from ? `event: gap\ndata: ${JSON.stringify({ from, to: first - 1 })}\n\n` : '';
    const bytes = encoder.encode(gap + found.map(eventText).join(''));
    const page = { bytes, next, isFull: next <= entries };
    // A gap grows as the history goes on.
    if (gap === '') this.#pages.set(from, page);
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= STREAM_PAGES) break;
      this.#pages.delete(oldest);
    }
    return page;
  }

  #beat(): void {
    const now = Date.now();
    for (const stream of this.#streams) stream.beat(now);
  }

  #drop(stream: EventStream): void {
    this.#streams.delete(stream);
    this.#onSize(this.#streams.size);
    this.#lagging.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}

/** A part of the history as server-sent events. */
interface Page {
  readonly bytes: Uint8Array;
  /** The id of the entry after it. */
  readonly next: number;
}

/** A cached page. It is full if no later entry can change it. */
interface KeptPage extends Page {
  readonly isFull: boolean;
}

/** The cost of a cached page, in pages that are read. */
const KEPT_COST = 1 / 4;

/** The stream of one reader. */
class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #until: number;
  readonly #onWait: () => void;
  readonly #onEnd: () => void;
  #next: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Ends the present call of `pull`, if there is one. */
  #given: (() => void) | undefined;
  /** When the reader last got something, ms since the epoch. */
  #gave = Date.now();

  constructor(
    next: number,
    until: number,
    { onWait, onEnd }: { readonly onWait: () => void; readonly onEnd: () => void },
  ) {
    this.#next = next;
    this.#until = until;
    this.#onWait = onWait;
    this.#onEnd = onEnd;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          // A second is long enough for a server to restart, and short enough for a person to wait. A reader that gets no entry
          // before it loses the stream goes on from the id.
          controller.enqueue(encoder.encode(`retry: 1000\nid: ${next - 1}\n\n`));
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(() => {}),
      },
      // Nothing is read ahead.
      { highWaterMark: 0 },
    );
  }

  /** The id of the first entry that was not sent. */
  get next(): number {
    return this.#next;
  }

  /** Whether the reader has read everything that it got. */
  get isWaiting(): boolean {
    return this.#given !== undefined;
  }

  give({ bytes, next }: Page): void {
    this.#next = next;
    this.#enqueue(bytes);
  }

  /** Keeps an idle stream open, and cuts a reader that has stopped reading. */
  beat(now: number): void {
    if (this.isWaiting) this.#enqueue(COMMENT);
    else if (now - this.#gave >= STREAM_STALL) this.#fail(new Error('the reader is too slow'));
  }

  end(): void {
    this.#leave((controller) => controller.close());
  }

  #fail(error: Error): void {
    this.#leave((controller) => controller.error(error));
  }

  async #pull(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#given = resolve;
    this.#onWait();
    await promise;
  }

  #enqueue(bytes: Uint8Array): void {
    const now = Date.now();
    if (now >= this.#until) {
      this.end();
      return;
    }
    this.#gave = now;
    const given = this.#given;
    this.#given = undefined;
    this.#controller?.enqueue(bytes);
    given?.();
  }

  #leave(close: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void {
    this.#onEnd();
    const controller = this.#controller;
    this.#controller = undefined;
    if (controller !== undefined) close(controller);
    this.#given?.();
    this.#given = undefined;
  }
}

const encoder = new TextEncoder();

const COMMENT = encoder.encode(': still here\n\n');

function eventText(entry: HistoryEntry): string {
  return `id: ${entry.id}\nevent: ${entry.cause}\ndata: ${JSON.stringify(showEntry(entry))}\n\n`;
}
