import type { HistoryEntry } from '../store/history-table.ts';
import type { MachineStore } from '../store/machine-store.ts';
import { EventStreams } from './event-streams.ts';
import { Sockets } from './sockets.ts';
import { watchCount } from './watch-count.ts';

/**
 * The watches of one machine: streams of server-sent events, which end with the object, and WebSockets, which outlive
 * it.
 */
export class Watches {
  readonly streams: EventStreams;
  readonly sockets: Sockets;

  constructor(ctx: DurableObjectState, store: MachineStore) {
    const streams = `streams of ${ctx.id}`;
    // The streams of an earlier instance of this object have ended.
    watchCount.set(streams, 0);
    this.streams = new EventStreams(
      store.history,
      () => store.version()?.entries ?? 0,
      (size) => watchCount.set(streams, size),
    );
    this.sockets = new Sockets(ctx, store.history);
  }

  /** Sends committed entries; undefined if they are too many: each watcher continues from storage. */
  tell(entries: readonly HistoryEntry[] | undefined): void {
    if (entries === undefined) {
      this.streams.catchUp();
      this.sockets.sendBack();
      return;
    }
    this.streams.tell(entries);
    this.sockets.tell(entries);
  }

  /** Ends all watches. Where the object restarts, their readers come back with their last ids. */
  close(why: 'erased' | 'restarting'): void {
    this.streams.close();
    if (why === 'erased') this.sockets.close();
    else this.sockets.sendBack(1012, RESTART);
  }
}

/** At most 123 bytes (RFC 6455, section 5.5). */
const RESTART = 'the machine is being restored: come back with ?after=ID';

/**
 * Returns the id of the first entry of a watch.
 *
 * @param entries how many entries were written to the history.
 * @param after the id of the last entry that the watcher has; undefined for new entries only.
 */
export function nextAfter(entries: number, after: number | undefined): number {
  if (after === undefined) return entries + 1;
  // A larger id is of an earlier machine at this address: all entries are new.
  return after <= entries ? after + 1 : 1;
}
