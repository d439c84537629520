import type { Claim, CoolingSlot, StateNumber, Timer } from '../chart/chart.ts';
import {
  CLAIM,
  type ClaimRow,
  COOLING,
  type CoolingRow,
  TIMER,
  type TimerRow,
  VISITED,
  type VisitedRow,
} from './machine-rows.ts';
import { OptionalTable } from './optional-table.ts';
import type { Changes, EndedVisit } from './stored-machine.ts';

/** The tables about the states of the present run: timers, ended visits, claims and cooldowns. Another run drops their rows. */
export class RunTables {
  readonly #timers: OptionalTable;
  readonly #visited: OptionalTable;
  readonly #claims: OptionalTable;
  readonly #cooling: OptionalTable;

  constructor(sql: SqlStorage) {
    this.#timers = new OptionalTable(sql, 'timer');
    this.#visited = new OptionalTable(sql, 'visited');
    this.#claims = new OptionalTable(sql, 'claim');
    this.#cooling = new OptionalTable(sql, 'cooling');
  }

  /** Returns the timers that are set, in the order in which they were set. */
  timers(): Timer[] {
    return this.#timers.rows<TimerRow>('SELECT id, label, at, event FROM timer ORDER BY id').map((row) => ({
      id: TIMER.number(row, 'id'),
      label: TIMER.text(row, 'label'),
      at: TIMER.number(row, 'at'),
      event: TIMER.text(row, 'event'),
    }));
  }

  /** Returns the claims that are held. */
  claims(): Claim[] {
    return this.#claims.rows<ClaimRow>('SELECT state, caller, since, until FROM claim').map((row) => ({
      state: CLAIM.number(row, 'state'),
      by: CLAIM.text(row, 'caller'),
      since: CLAIM.number(row, 'since'),
      until: CLAIM.number(row, 'until'),
    }));
  }

  /** Returns the slots in their cooldown, and some whose cooldown is over. */
  cooling(): CoolingSlot[] {
    return this.#cooling.rows<CoolingRow>('SELECT state, slot, until FROM cooling').map((row) => ({
      state: COOLING.number(row, 'state'),
      slot: COOLING.number(row, 'slot'),
      until: COOLING.number(row, 'until'),
    }));
  }

  /** Returns when the first timer comes due or the first lease ends, ms since the epoch; undefined where none does. */
  firstDue(): number | undefined {
    const timers = this.#timers.rows<{ at: number | null }>('SELECT min(at) AS at FROM timer');
    const claims = this.#claims.rows<{ at: number | null }>('SELECT min(until) AS at FROM claim');
    const times = [...timers, ...claims].flatMap(({ at }) => at ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Returns the last ended visit of each state that was left. @param since only visits of this number, and later ones. */
  endedVisits(since = 0): EndedVisit[] {
    const sql = 'SELECT state, visit, left_at FROM visited WHERE visit >= ?';
    return this.#visited.rows<VisitedRow>(sql, since).map((row) => ({
      state: VISITED.number(row, 'state'),
      visit: VISITED.number(row, 'visit'),
      at: VISITED.number(row, 'left_at'),
    }));
  }

  /** Returns the number of the visit of `state` that ended last. */
  lastVisit(state: StateNumber): number | undefined {
    const [row] = this.#visited.rows<Pick<VisitedRow, 'state' | 'visit'>>(
      'SELECT state, visit FROM visited WHERE state = ?',
      state,
    );
    return row && VISITED.number(row, 'visit');
  }

  /** Writes the changes of a turn. */
  write(changes: Changes): void {
    for (const id of changes.timersCleared) this.#timers.delete('DELETE FROM timer WHERE id = ?', id);
    for (const { id, label, at, event } of changes.timersSet) {
      this.#timers.insert(
        'INSERT INTO timer (id, label, at, event) VALUES (?, ?, ?, ?)',
        id,
        label,
        at,
        event,
      );
    }
    for (const { state, visit, at } of changes.left) {
      this.#visited.insert(
        'INSERT OR REPLACE INTO visited (state, visit, left_at) VALUES (?, ?, ?)',
        state,
        visit,
        at,
      );
    }
    for (const state of changes.cooling?.dropped ?? []) {
      this.#cooling.delete('DELETE FROM cooling WHERE state = ?', state);
    }
    for (const { state, slot, until } of changes.cooling?.set ?? []) {
      this.#cooling.insert(
        'INSERT OR REPLACE INTO cooling (state, slot, until) VALUES (?, ?, ?)',
        state,
        slot,
        until,
      );
    }
    for (const state of changes.freed) this.#claims.delete('DELETE FROM claim WHERE state = ?', state);
    for (const { state, by } of changes.claimsCleared) {
      this.#claims.delete('DELETE FROM claim WHERE state = ? AND caller = ?', state, by);
    }
    for (const { state, by, since, until } of changes.claimsSet) {
      this.#claims.insert(
        'INSERT OR REPLACE INTO claim (state, caller, since, until) VALUES (?, ?, ?, ?)',
        state,
        by,
        since,
        until,
      );
    }
  }

  /** Drops all rows: another run begins, whose chart may have other states. */
  drop(): void {
    this.#timers.delete('DELETE FROM timer');
    this.#visited.delete('DELETE FROM visited');
    this.#claims.delete('DELETE FROM claim');
    this.#cooling.delete('DELETE FROM cooling');
  }

  /** Forgets what it knows of the storage: all of it was deleted, or a transaction was rolled back. */
  forget(): void {
    for (const table of [this.#timers, this.#visited, this.#claims, this.#cooling]) table.forget();
  }
}
