import {
  HISTORY_ROWS,
  SOCKET_BACKLOG,
  SOCKET_CHECK,
  SOCKETS,
  STREAM_BACKLOG,
  STREAM_HEARTBEAT,
  STREAMS,
} from './limits.ts';
import type { HistoryEntry, HistoryTable } from './store/history.ts';

/** An entry of the history as the service shows it: times in ISO 8601. */
export type ShownEntry = Omit<HistoryEntry, 'at'> & { readonly at: string };

export function showEntry({ at, ...entry }: HistoryEntry): ShownEntry {
  return { ...entry, at: new Date(at).toISOString() };
}

/** What a watcher is told first: everything after the entry that it has seen last, or that some of it is gone. */
export interface Replay {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Where the history no longer goes back far enough: the ids that are missing. */
  readonly gap?: { readonly from: number; readonly to: number };
}

/**
 * @param entries written so far.
 * @param after the id of the entry that was seen last, or undefined where only what is new is of interest.
 */
export function replayAfter(history: HistoryTable, entries: number, after: number | undefined): Replay {
  if (after === undefined || after === entries) return { entries: [] };
  // An id that was not given out yet is of a machine that was deleted: all of this one is new.
  const seen = after < entries ? after : 0;
  const found = history.read(entries, entries + 1, Math.min(entries - seen, HISTORY_ROWS)).reverse();
  const first = found[0]?.id ?? entries + 1;
  return first > seen + 1 ? { entries: found, gap: { from: seen + 1, to: first - 1 } } : { entries: found };
}

/**
 * Those who watch one machine: streams of server-sent events, which live as long as the object does, and
 * WebSockets, which outlive it (the platform keeps them while the object sleeps).
 */
export class Watchers {
  readonly #ctx: DurableObjectState;
  readonly #history: HistoryTable;
  readonly #streams = new Set<EventStream>();
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(ctx: DurableObjectState, history: HistoryTable) {
    this.#ctx = ctx;
    this.#history = history;
    // Answered by the platform, without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  /** How many there are. */
  get size(): { readonly streams: number; readonly sockets: number } {
    return { streams: this.#streams.size, sockets: this.#ctx.getWebSockets().length };
  }

  get streamsFull(): boolean {
    return this.#streams.size >= STREAMS;
  }

  get socketsFull(): boolean {
    return this.#ctx.getWebSockets().length >= SOCKETS;
  }

  /**
   * Opens a stream of server-sent events (WHATWG HTML, section 9.2).
   *
   * @param until when the reader's token ends, ms since the epoch: it is told nothing after that.
   */
  openStream(replay: Replay, until = Number.POSITIVE_INFINITY): ReadableStream<Uint8Array> {
    const stream = new EventStream(until, () => this.#drop(stream));
    this.#streams.add(stream);
    this.#heartbeat ??= setInterval(() => this.#beat(), STREAM_HEARTBEAT);
    // A second is long enough for a server to be there again, and short enough for a person.
    const gap = replay.gap === undefined ? '' : `event: gap\ndata: ${JSON.stringify(replay.gap)}\n\n`;
    // In one piece, however long it is: nobody is slow who has not had the time to read.
    stream.send(`retry: 1000\n\n${gap}${replay.entries.map(eventText).join('')}`);
    return stream.readable;
  }

  /** Accepts a WebSocket that lets the object sleep. `until` is as in `openStream`. */
  openSocket(replay: Replay, until?: number): Response {
    this.#cutExpired();
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, until === undefined ? [] : [ENDS]);
    server.serializeAttachment({ opened: Date.now(), until: until ?? null } satisfies Attachment);
    if (replay.gap !== undefined) server.send(JSON.stringify({ gap: replay.gap }));
    for (const entry of replay.entries) server.send(JSON.stringify(showEntry(entry)));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Tells what was committed. */
  tell(entries: readonly HistoryEntry[]): void {
    if (this.#streams.size > 0) {
      const text = entries.map(eventText).join('');
      for (const stream of this.#streams) stream.send(text);
    }
    const sockets = this.#ctx.getWebSockets();
    if (sockets.length === 0) return;
    this.#cutExpired();
    const messages = entries.map((entry) => JSON.stringify(showEntry(entry)));
    for (const socket of sockets) sendAll(socket, messages);
    const newest = entries.at(-1)?.id ?? 0;
    if (newest % SOCKET_CHECK < entries.length) this.#cutSilent(sockets, newest);
  }

  /**
   * Cuts the sockets that have shown no sign of life for as long as it took to tell them so many events: the platform
   * does not say how much still waits for a reader.
   */
  #cutSilent(sockets: readonly WebSocket[], newest: number): void {
    const [entry] = this.#history.read(newest, newest - SOCKET_BACKLOG + 1, 1);
    if (entry === undefined) return;
    for (const socket of sockets) {
      const { opened }: Attachment = socket.deserializeAttachment();
      const pinged = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? opened;
      if (Math.max(opened, pinged) < entry.at) socket.close(1013, SILENT);
    }
  }

  /** Ends the sockets whose tokens have ended. */
  #cutExpired(): void {
    const now = Date.now();
    for (const socket of this.#ctx.getWebSockets(ENDS)) {
      const { until }: Attachment = socket.deserializeAttachment();
      if (until !== null && until <= now) socket.close(1008, 'the token has expired');
    }
  }

  /** Ends them all: the machine is gone. */
  close(): void {
    for (const stream of this.#streams) stream.end();
    for (const socket of this.#ctx.getWebSockets()) socket.close(1001, 'the machine was deleted');
  }

  #beat(): void {
    for (const stream of this.#streams) stream.send(': still here\n\n');
  }

  #drop(stream: EventStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}

/** One reader. A slow one is cut as soon as too much waits for it: it comes back with what it has seen last. */
class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #until: number;
  readonly #onEnd: () => void;
  #waiting = 0;

  /** @param until when its reader's token ends, ms since the epoch. */
  constructor(until: number, onEnd: () => void) {
    this.#until = until;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.readable = readable;
    this.#writer = writable.getWriter();
    this.#onEnd = onEnd;
    this.#writer.closed.then(onEnd, onEnd);
  }

  send(text: string): void {
    if (Date.now() >= this.#until) {
      this.end();
      return;
    }
    if (this.#waiting >= STREAM_BACKLOG) {
      this.#onEnd();
      this.#writer.abort(new Error('the reader is too slow')).catch(() => {});
      return;
    }
    this.#waiting += 1;
    this.#writer.write(encoder.encode(text)).then(
      () => {
        this.#waiting -= 1;
      },
      () => this.#onEnd(),
    );
  }

  end(): void {
    this.#onEnd();
    this.#writer.close().catch(() => {});
  }
}

/** What the platform keeps beside a socket while the object sleeps. */
interface Attachment {
  /** ms since the epoch */
  readonly opened: number;
  /** When the watcher's token ends; null where none is asked for. */
  readonly until: number | null;
}

/** The tag of sockets whose watchers have tokens. */
const ENDS = 'ends';

/** At most 123 bytes (RFC 6455, section 5.5). */
const SILENT = `no "ping" came for ${SOCKET_BACKLOG} events; come back with ?after=ID`;

const encoder = new TextEncoder();

function eventText(entry: HistoryEntry): string {
  return `id: ${entry.id}\nevent: ${entry.cause}\ndata: ${JSON.stringify(showEntry(entry))}\n\n`;
}

function sendAll(socket: WebSocket, messages: readonly string[]): void {
  try {
    for (const message of messages) socket.send(message);
  } catch {
    // It is closed already; the platform forgets it by itself.
  }
}
