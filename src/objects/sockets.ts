import { SOCKET_BACKLOG, SOCKET_CHECK, SOCKET_RECOUNT, SOCKET_REPLAY, SOCKETS } from '../limits.ts';
import type { HistoryEntry, HistoryTable } from '../store/history-table.ts';
import { showEntry } from './shown-entry.ts';

/**
 * The WebSockets that watch one machine. The platform keeps them while the object sleeps, so all that is in memory here
 * is looked up again after that: one look at every socket, where nothing else needs one.
 */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #history: HistoryTable;
  /** How many are open; undefined where that is not known. */
  #count: number | undefined;
  #counted = 0;
  /** When the first token of a watcher ends, ms since the epoch; undefined where that is not known. */
  #nextEnd: number | undefined;

  constructor(ctx: DurableObjectState, history: HistoryTable) {
    this.#ctx = ctx;
    this.#history = history;
    // Answered by the platform, without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  get size(): number {
    this.#count ??= this.#ctx.getWebSockets().length;
    return this.#count;
  }

  /** Whether there may be no more. */
  get isFull(): boolean {
    if (this.size < SOCKETS) return false;
    // Sockets that broke may not have been told of.
    const now = Date.now();
    if (now - this.#counted >= SOCKET_RECOUNT) {
      this.#counted = now;
      this.#count = undefined;
    }
    return this.size >= SOCKETS;
  }

  /**
   * Accepts a WebSocket that lets the object sleep. What it has missed is told as far as `SOCKET_REPLAY` goes: the
   * platform does not say how much still waits for a reader, so a reader that has missed more is closed after it, and
   * comes back with the last id.
   *
   * @param entries how many the history has had.
   * @param next the id of the first entry that the reader is told.
   * @param until when the reader's token ends, ms since the epoch.
   */
  open(entries: number, next: number, until: number | undefined): Response {
    this.#cutExpired();
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, until === undefined ? [] : [ENDS]);
    this.#count = this.size + 1;
    if (until !== undefined && this.#nextEnd !== undefined) this.#nextEnd = Math.min(this.#nextEnd, until);
    server.serializeAttachment({ opened: Date.now(), until: until ?? null } satisfies Attachment);
    this.#replay(server, entries, next);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Tells what was committed. */
  tell(entries: readonly HistoryEntry[]): void {
    if (this.#count === 0) return;
    const sockets = this.#ctx.getWebSockets();
    this.#count = sockets.length;
    if (sockets.length === 0) return;
    this.#cutExpired();
    const messages = entries.map((entry) => JSON.stringify(showEntry(entry)));
    for (const socket of sockets) sendAll(socket, messages);
    const newest = entries.at(-1)?.id ?? 0;
    if (newest % SOCKET_CHECK < entries.length) this.#cutSilent(sockets, newest);
  }

  /** A socket was closed by its reader, or broke. */
  forget(): void {
    if (this.#count !== undefined) this.#count = Math.max(0, this.#count - 1);
  }

  /** Ends them all: the machine is gone. */
  close(): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(1001, 'the machine was deleted');
  }

  #replay(socket: WebSocket, entries: number, next: number): void {
    if (next > entries) return;
    const found = this.#history.readAfter(entries, next - 1, SOCKET_REPLAY);
    const first = found[0]?.id ?? entries + 1;
    if (first > next) socket.send(JSON.stringify({ gap: { from: next, to: first - 1 } }));
    for (const entry of found) socket.send(JSON.stringify(showEntry(entry)));
    if ((found.at(-1)?.id ?? entries) < entries) socket.close(1013, MORE);
  }

  /** Cuts the sockets that have shown no sign of life for as long as it took to tell them so many events. */
  #cutSilent(sockets: readonly WebSocket[], newest: number): void {
    // Of a history of long entries fewer are kept.
    const [entry] = this.#history.readAfter(newest, newest - SOCKET_BACKLOG, 1);
    if (entry === undefined || entry.id === 1) return;
    for (const socket of sockets) {
      const { opened }: Attachment = socket.deserializeAttachment();
      const pinged = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? opened;
      if (Math.max(opened, pinged) < entry.at) socket.close(1013, SILENT);
    }
  }

  /** Ends the sockets whose tokens have ended. */
  #cutExpired(): void {
    const now = Date.now();
    if (this.#nextEnd !== undefined && now < this.#nextEnd) return;
    this.#nextEnd = Number.POSITIVE_INFINITY;
    for (const socket of this.#ctx.getWebSockets(ENDS)) {
      const { until }: Attachment = socket.deserializeAttachment();
      if (until === null) continue;
      if (until <= now) socket.close(1008, 'the token has expired');
      else this.#nextEnd = Math.min(this.#nextEnd, until);
    }
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
const MORE = 'there is more: come back with ?after=ID';

function sendAll(socket: WebSocket, messages: readonly string[]): void {
  try {
    for (const message of messages) socket.send(message);
  } catch {
    // It is closed already; the platform forgets it by itself.
  }
}
