import { SOCKET_BACKLOG, SOCKET_CHECK, SOCKET_REPLAY, SOCKET_SLICE, SOCKETS } from '../limits.ts';
import type { HistoryEntry, HistoryTable } from '../store/history-table.ts';
import { showEntry } from './shown-entry.ts';
import { watchCount } from './watch-count.ts';

/** How often a machine with the most WebSockets counts them again, in ms. */
const SOCKET_RECOUNT = 1_000;

/**
 * The WebSockets that watch one machine. They hibernate: the platform keeps them while the object sleeps, so the fields
 * here are only caches, and one pass over all sockets restores them.
 */
export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #history: HistoryTable;
  /** The key in `watchCount`. */
  readonly #name: string;
  /** How many are open; undefined if not known. */
  #count: number | undefined;
  #counted = 0;
  /** The first end of a watcher's token, ms since the epoch; undefined if not known. */
  #nextEnd: number | undefined;
  /** The round that sends entries to all sockets; undefined if all have been sent. */
  #round: Round | undefined;

  constructor(ctx: DurableObjectState, history: HistoryTable) {
    this.#ctx = ctx;
    this.#history = history;
    this.#name = `sockets of ${ctx.id}`;
    // The platform answers it without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  get size(): number {
    return this.#count ?? this.#setCount(this.#ctx.getWebSockets().length);
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
    const { size } = this;
    this.#ctx.acceptWebSocket(server, until === undefined ? [] : [ENDS]);
    this.#setCount(size + 1);
    if (until !== undefined && this.#nextEnd !== undefined) this.#nextEnd = Math.min(this.#nextEnd, until);
    server.serializeAttachment({ opened: Date.now(), until: until ?? null } satisfies Attachment);
    this.#replay(server, entries, next);
    this.#round?.opened.set(server, entries);
    return new Response(null, { status: 101, webSocket: client });
  }

  /**
   * Sends committed entries to all sockets, at most `SOCKET_SLICE` messages in one piece: other requests run between two
   * slices. Entries that are committed during a round are read from the history after it, so nothing else is queued.
   *
   * The ids of a socket's messages have no holes. If the object is evicted during a round, its other sockets miss the
   * entries of the round: the next message shows a hole, and the reader reconnects with the last id.
   */
  tell(entries: readonly HistoryEntry[]): void {
    const newest = entries.at(-1)?.id;
    if (newest === undefined || this.#count === 0) return;
    if (this.#round === undefined) void this.#sendRounds(entries, newest);
    else this.#round.newest = newest;
  }

  /**
   * Closes all sockets, so that their readers come back with their last ids. Default reason: more entries are pending than
   * are sent at once.
   */
  sendBack(code = 1013, reason = MORE): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(code, reason);
  }

  /** A socket was closed by its reader, or broke. */
  forget(): void {
    if (this.#count === undefined) watchCount.decrement(this.#name);
    else this.#setCount(Math.max(0, this.#count - 1));
  }

  /** Closes all sockets: the machine was erased. */
  close(): void {
    this.#round = undefined;
    for (const socket of this.#ctx.getWebSockets()) socket.close(1001, 'the machine was deleted');
  }

  #setCount(count: number): number {
    this.#count = count;
    watchCount.set(this.#name, count);
    return count;
  }

  #replay(socket: WebSocket, entries: number, next: number): void {
    if (next > entries) return;
    const messages = this.#readMessages(entries, next);
    sendAll(socket, messages);
    if ((messages.at(-1)?.id ?? entries) < entries) socket.close(1013, MORE);
  }

  /** Reads a page of the history, and a message about the entries before it that are not kept. */
  #readMessages(entries: number, next: number): Message[] {
    const messages = this.#history.readAfter(entries, next - 1, SOCKET_REPLAY).map(messageOf);
    const first = messages[0]?.id ?? entries + 1;
    if (first === next) return messages;
    const gap = { from: next, to: first - 1 };
    return [{ id: gap.to, text: JSON.stringify({ gap }) }, ...messages];
  }

  /** Sends entries, then those that were committed meanwhile. Returns after the first slice. */
  async #sendRounds(entries: readonly HistoryEntry[], newest: number): Promise<void> {
    const round: Round = { newest, opened: new Map() };
    this.#round = round;
    let messages = entries.map(messageOf);
    try {
      for (;;) {
        await this.#sendToAll(messages, round);
        const sent = messages.at(-1)?.id ?? round.newest;
        if (this.#round !== round || sent >= round.newest) break;
        messages = this.#readMessages(round.newest, sent + 1);
      }
    } finally {
      if (this.#round === round) this.#round = undefined;
    }
  }

  async #sendToAll(messages: readonly Message[], round: Round): Promise<void> {
    const sockets = this.#ctx.getWebSockets();
    this.#setCount(sockets.length);
    if (sockets.length === 0) return;
    this.#cutExpired();
    const newest = messages.at(-1)?.id ?? 0;
    const heardSince = newest % SOCKET_CHECK < messages.length ? this.#oldestUnread(newest) : undefined;
    let sent = 0;
    for (const socket of sockets) {
      if (sent > 0 && sent + messages.length > SOCKET_SLICE) {
        await scheduler.wait(1);
        if (this.#round !== round) return;
        sent = 0;
      }
      const has = round.opened.get(socket);
      sendAll(socket, has === undefined ? messages : messages.filter(({ id }) => id > has));
      if (heardSince !== undefined) this.#cutSilent(socket, heardSince);
      sent += messages.length;
    }
  }

  /**
   * Returns when the oldest of the last `SOCKET_BACKLOG` entries was written, ms since the epoch: a socket that sent no
   * `ping` since then is silent. Undefined while there are fewer entries.
   */
  #oldestUnread(newest: number): number | undefined {
    // A history of long entries keeps fewer.
    const [entry] = this.#history.readAfter(newest, newest - SOCKET_BACKLOG, 1);
    return entry === undefined || entry.id === 1 ? undefined : entry.at;
  }

  /** Closes a socket that sent no `ping` since a moment, ms since the epoch. */
  #cutSilent(socket: WebSocket, since: number): void {
    const { opened }: Attachment = socket.deserializeAttachment();
    const pinged = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? opened;
    if (Math.max(opened, pinged) < since) socket.close(1013, SILENT);
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
  /** The end of the watcher's token, ms since the epoch; null if the service requires none. */
  readonly until: number | null;
}

/** What one socket is sent at a time. */
interface Message {
  /** The id of the entry; of a message about a gap, the last id that is left out. */
  readonly id: number;
  readonly text: string;
}

/** Sends entries to all sockets, in slices. */
interface Round {
  /** The id of the newest committed entry. */
  newest: number;
  /** Sockets that were opened during the round, and the id of the last entry that they have. */
  readonly opened: Map<WebSocket, number>;
}

/** The tag of sockets that end with a token. */
const ENDS = 'ends';

/** At most 123 bytes (RFC 6455, section 5.5). */
const SILENT = `no "ping" came for ${SOCKET_BACKLOG} events; come back with ?after=ID`;
const MORE = 'there is more: come back with ?after=ID';

function messageOf(entry: HistoryEntry): Message {
  return { id: entry.id, text: JSON.stringify(showEntry(entry)) };
}

function sendAll(socket: WebSocket, messages: readonly Message[]): void {
  try {
    for (const { text } of messages) socket.send(text);
  } catch {
    // It is closed already, and the platform drops it.
  }
}
