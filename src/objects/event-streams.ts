import {
  STREAM_HEARTBEAT,
  STREAM_PAGE,
  STREAM_PAGES,
  STREAM_PROBE,
  STREAM_STALL,
  STREAMS,
} from '../limits.ts';
import type { HistoryEntry, HistoryTable } from '../store/history-table.ts';
import { showEntry } from './shown-entry.ts';

/** A piece of the history as server-sent events. */
interface Page {
  readonly bytes: Uint8Array;
  /** The id of the entry after it. */
  readonly next: number;
}

/** A page that was read, and whether later entries can change it. */
interface KeptPage extends Page {
  readonly isFull: boolean;
}

/**
 * The streams of server-sent events (WHATWG HTML, section 9.2) of one machine. A stream holds the id of its next entry
 * and no queue: it is given what was committed while it waits, and reads its next page from storage where it lags
 * behind. So a reader that does not read costs one page of memory, and misses nothing.
 */
export class EventStreams {
  readonly #history: HistoryTable;
  /** Reads how many entries the history has had. */
  readonly #entries: () => number;
  readonly #streams = new Set<EventStream>();
  /** Streams that wait for a page from storage, in the order in which they asked. */
  readonly #lagging = new Set<EventStream>();
  /** Pages by their first id, the one that was used last behind: readers that come back together read the same. */
  readonly #pages = new Map<number, KeptPage>();
  #isServing = false;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #probed = 0;

  constructor(history: HistoryTable, entries: () => number) {
    this.#history = history;
    this.#entries = entries;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Whether there may be no more. Where it says so, it finds out which readers have left. */
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
   * @param next the id of the first entry that the reader is told.
   * @param until when the reader's token ends, ms since the epoch: it is told nothing after that.
   */
  open(next: number, until: number): ReadableStream<Uint8Array> {
    const stream = new EventStream(next, until, {
      onWait: () => this.#serve(stream),
      onEnd: () => this.#drop(stream),
    });
    this.#streams.add(stream);
    this.#heartbeat ??= setInterval(() => this.#beat(), STREAM_HEARTBEAT);
    return stream.readable;
  }

  /** Gives what was committed to the streams that wait for it. */
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

  /** Ends them all: the machine is gone. */
  close(): void {
    this.#pages.clear();
    for (const stream of this.#streams) stream.end();
  }

  #serve(stream: EventStream): void {
    if (stream.next > this.#entries()) return;
    this.#lagging.add(stream);
    if (!this.#isServing) void this.#serveAll();
  }

  /** Reads one page at a time, and lets other requests of the process go between two: a page takes 1 to 3 ms. */
  async #serveAll(): Promise<void> {
    this.#isServing = true;
    try {
      let cost = 0;
      // A stream that asks again meanwhile comes last.
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
    this.#lagging.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}

/** What a page that is kept costs, in pages that are read. */
const KEPT_COST = 1 / 4;

/** One reader. */
class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #until: number;
  readonly #onWait: () => void;
  readonly #onEnd: () => void;
  #next: number;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Ends the present call of `pull`, where there is one. */
  #given: (() => void) | undefined;
  /** When the reader was given something last, ms since the epoch. */
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
          // A second is long enough for a server to be there again, and short enough for a person.
          controller.enqueue(encoder.encode('retry: 1000\n\n'));
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(() => {}),
      },
      // Nothing is made ready that is not asked for.
      { highWaterMark: 0 },
    );
  }

  /** The id of the first entry that was not given. */
  get next(): number {
    return this.#next;
  }

  /** Whether the reader has taken all that it was given. */
  get isWaiting(): boolean {
    return this.#given !== undefined;
  }

  give({ bytes, next }: Page): void {
    this.#next = next;
    this.#enqueue(bytes);
  }

  /** Keeps a silent stream open, and cuts a reader that takes nothing. */
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
