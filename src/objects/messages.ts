import { hooksToTell, type Occasion, type StateNumber } from '../chart/chart.ts';
import type { Cause, HistoryEntry } from '../store/history-table.ts';
import type { Notification } from '../store/outbox-table.ts';
import type { MachineState } from './machine-state.ts';

/** The messages of a turn: they are written to the outbox in its commit. */
export class Messages {
  readonly told: { readonly hook: string; readonly entry: HistoryEntry }[] = [];
  readonly resent: Pick<Notification, 'hook' | 'entry'>[] = [];

  /** Notes a new entry of the history. @param entered the states that were entered with it. */
  note({ chart }: MachineState, entry: HistoryEntry, entered: readonly StateNumber[]): void {
    for (const hook of hooksToTell(chart.model, entered, OCCASIONS[entry.cause]))
      this.told.push({ hook, entry });
  }

  /** Sends a message again. An entry of the history must follow. */
  resend({ hook, entry }: Pick<Notification, 'hook' | 'entry'>): void {
    this.resent.push({ hook, entry });
  }
}

/** What a hook can be told of, beside states, by the cause of an entry. */
const OCCASIONS: Readonly<Partial<Record<Cause, Occasion>>> = {
  pause: 'paused',
  override: 'overridden',
  refused: 'refused',
};
