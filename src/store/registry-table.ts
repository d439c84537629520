import { hasSchema, migrate } from './migrations.ts';
import { TENANT_SCHEMA } from './schema.ts';

/** A machine of a tenant: its address without the tenant. */
export interface Member {
  readonly chart: string;
  /** Empty for the chart's own machine. */
  readonly run: string;
}

interface MemberRow extends Record<string, SqlStorageValue> {
  chart: string;
  run: string;
}

/** What a tenant's machines come to. */
export interface Total {
  readonly machines: number;
  /** Of their charts. */
  readonly bytes: number;
}

/** The SQL of a tenant's storage: which machines it has. A tenant that never had one has no tables. */
export class RegistryTable {
  readonly #sql: SqlStorage;
  #ready = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  total(): Total {
    if (!this.#exists()) return { machines: 0, bytes: 0 };
    const { machines, bytes } = this.#sql
      .exec<{ machines: number; bytes: number }>('SELECT machines, bytes FROM total')
      .one();
    return { machines, bytes };
  }

  /** @returns the bytes that a machine is entered with; undefined where it is not. */
  bytesOf({ chart, run }: Member): number | undefined {
    if (!this.#exists()) return undefined;
    return this.#sql
      .exec<{ bytes: number }>('SELECT bytes FROM machine WHERE chart = ? AND run = ?', chart, run)
      .toArray()[0]?.bytes;
  }

  /** Enters a machine, or what its chart has come to. */
  enter(member: Member, bytes: number): void {
    const before = this.bytesOf(member);
    if (before === bytes) return;
    if (!this.#exists()) migrate(this.#sql, TENANT_SCHEMA);
    const { chart, run } = member;
    this.#sql.exec('INSERT OR REPLACE INTO machine (chart, run, bytes) VALUES (?, ?, ?)', chart, run, bytes);
    this.#count(before === undefined ? 1 : 0, bytes - (before ?? 0));
  }

  leave(member: Member): void {
    const before = this.bytesOf(member);
    if (before === undefined) return;
    this.#sql.exec('DELETE FROM machine WHERE chart = ? AND run = ?', member.chart, member.run);
    this.#count(-1, -before);
  }

  /**
   * The machines in the order of their addresses, read as far as they are asked for.
   *
   * @param after only those behind this one.
   * @param chart only those of this chart.
   */
  *members(after: Member, chart: string | undefined): Generator<Member> {
    if (!this.#exists()) return;
    const only = chart === undefined ? '' : 'AND chart = ?3';
    yield* this.#sql.exec<MemberRow>(
      `SELECT chart, run FROM machine WHERE (chart, run) > (?1, ?2) ${only} ORDER BY chart, run`,
      after.chart,
      after.run,
      ...(chart === undefined ? [] : [chart]),
    );
  }

  #count(machines: number, bytes: number): void {
    this.#sql.exec('UPDATE total SET machines = machines + ?, bytes = bytes + ?', machines, bytes);
  }

  #exists(): boolean {
    if (this.#ready || !hasSchema(this.#sql)) return this.#ready;
    migrate(this.#sql, TENANT_SCHEMA);
    this.#ready = true;
    return true;
  }
}
