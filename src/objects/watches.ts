import type { HistoryEntry } from '../store/history-table.ts';
import type { MachineStore } from '../store/machine-store.ts';
import { EventStreams } from './event-streams.ts';
import { Sockets } from './sockets.ts';

/**
 * Readers that watch one machine: streams of server-sent events, which live as long as the object does, and
 * WebSockets, which outlive it.
 */
export class Watches {
  readonly streams: EventStreams;
  readonly sockets: Sockets;

  constructor(ctx: DurableObjectState, store: MachineStore) {
    this.streams = new EventStreams(store.history, () => store.entries() ?? 0);
    this.sockets = new Sockets(ctx, store.history);
  }

  /** Tells what was committed. */
  tell(entries: readonly HistoryEntry[]): void {
    this.streams.tell(entries);
    this.sockets.tell(entries);
  }

  /** Ends them all: the machine is gone. */
  close(): void {
    this.streams.close();
    this.sockets.close();
  }
}

/**
 * @param entries written so far.
 * @param after the id of the entry that was seen last, or undefined where only what is new is of interest.
 * @returns the id of the first entry that a watcher is told.
 */
export function nextAfter(entries: number, after: number | undefined): number {
  if (after === undefined) return entries + 1;
  // An id that was not given out yet is of a machine that was deleted: all of this one is new.
  return after <= entries ? after + 1 : 1;
}
