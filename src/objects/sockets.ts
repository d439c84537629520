import { SOCKET_BACKLOG, SOCKET_CHECK, SOCKET_RECOUNT, SOCKET_REPLAY, SOCKETS } from '../limits.ts';
import type { HistoryEntry, HistoryTable } from '../store/history-table.ts';
import { showEntry } from './shown-entry.ts';

/**
 * The WebSockets that watch one machine. They hibernate: the platform keeps them while the object sleeps, so the fields
 * here are only caches, and one pass over all sockets restores them.
 */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #history: HistoryTable;
  /** How many are open; undefined if not known. */
  #count: number | undefined;
  #counted = 0;
  /** The first end of a watcher's token, ms since the epoch; undefined if not known. */
  #nextEnd: number | undefined;

  constructor(ctx: DurableObjectState, history: HistoryTable) {
    this.#ctx = ctx;
    this.#history = history;
    // The platform answers it without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  get size(): number {
    this.#count ??= this.#ctx.getWebSockets().length;
    return this.#count;
  }

  /** Whether no more may be opened. */
  get isFull(): boolean {
    if (this.size < SOCKETS) return false;
    // The platform does not always report a broken socket.
    const now = Date.now();
    if (now - this.#counted >= SOCKET_RECOUNT) {
      this.#counted = now;
      this.#count = undefined;
    }
    return this.size >= SOCKETS;
  }

  /**
   * Accepts a hibernating WebSocket, and sends the entries that the reader has missed, at most `SOCKET_REPLAY`. The
   * platform does not say how much a socket has buffered, so the socket of a reader that has missed more is closed after
   * them, and the reader reconnects with the last id.
   *
   * @param entries how many entries were written to the history.
   * @param next the id of the first entry to send.
   * @param until the end of the reader's token, ms since the epoch.
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

  /** Closes all sockets: the machine was erased. */
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

  /** Closes the sockets that sent no `ping` during the last `SOCKET_BACKLOG` entries. */
  #cutSilent(sockets: readonly WebSocket[], newest: number): void {
    // A history of long entries keeps fewer.
    const [entry] = this.#history.readAfter(newest, newest - SOCKET_BACKLOG, 1);
    if (entry === undefined || entry.id === 1) return;
    for (const socket of sockets) {
      const { opened }: Attachment = socket.deserializeAttachment();
      const pinged = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? opened;
      if (Math.max(opened, pinged) < entry.at) socket.close(1013, SILENT);
    }
  }

  /** Closes the sockets whose tokens have ended. */
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

/** The data that the platform keeps with a socket while the object sleeps. */
interface Attachment {
  /** When it was opened, ms since the epoch. */
  readonly opened: number;
  /** The end of the watcher's token, ms since the epoch; null if the service asks for none. */
  readonly until: number | null;
}

/** The tag of sockets that end with a token. */
const ENDS = 'ends';

/** At most 123 bytes (RFC 6455, section 5.5). */
const SILENT = `no "ping" came for ${SOCKET_BACKLOG} events; come back with ?after=ID`;
const MORE = 'there is more: come back with ?after=ID';

function sendAll(socket: WebSocket, messages: readonly string[]): void {
  try {
    for (const message of messages) socket.send(message);
  } catch {
    // It is closed already, and the platform drops it.
  }
}
