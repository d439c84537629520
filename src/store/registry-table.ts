import { DELETED } from '../limits.ts';
import { ListingTable } from './listing-table.ts';
import { hasSchema, type Migratable, migrate } from './migrations.ts';
import { OptionalTable } from './optional-table.ts';
import { isRestoration, type Restoration } from './restoration.ts';
import { RowParser } from './row-parser.ts';
import { TENANT_SCHEMA } from './schema.ts';

/** A machine of a tenant: its address without the tenant. */
export interface Member {
  readonly chart: string;
  /** Empty for the chart's own machine. */
  readonly run: string;
}

/** The sums over a tenant's machines. */
export interface Total {
  readonly machines: number;
  /** Of their charts. */
  readonly bytes: number;
}

/** A `Member`, and the bytes of its chart: text and definition. */
type MemberRow = {
  chart: string;
  run: string;
  bytes: number;
};

/** The one row of the sums. */
type TotalRow = {
  machines: number;
  bytes: number;
};

const MEMBER = new RowParser<MemberRow>('machine', 'chart', 'run');
const TOTAL = new RowParser<TotalRow>('total');
const LAST = new RowParser<{ revision: number }>('deleted');
const NOTE = new RowParser<NoteRow>('restoring', 'machine');

/** A restore under way. */
type NoteRow = {
  /** The address. */
  machine: string;
  /** JSON: `Restoration`. */
  note: string;
};

/**
 * All SQL of a tenant: which machines it has. Only `enter` creates the tables: a tenant that never had a machine stays
 * empty.
 */
export class RegistryTable {
  readonly #storage: Migratable;
  readonly #sql: SqlStorage;
  readonly #restoring: OptionalTable;
  readonly #listing: ListingTable;
  /** Whether the tables are known to exist, in their newest version. */
  #ready = false;

  constructor(storage: Migratable) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#restoring = new OptionalTable(storage.sql, 'restoring');
    this.#listing = new ListingTable(storage.sql);
  }

  total(): Total {
    if (!this.#hasTables()) return { machines: 0, bytes: 0 };
    const row = this.#sql.exec<TotalRow>('SELECT machines, bytes FROM total').one();
    return { machines: TOTAL.number(row, 'machines'), bytes: TOTAL.number(row, 'bytes') };
  }

  /** Returns the bytes that a machine is entered with; undefined where it is not in the registry. */
  bytesOf({ chart, run }: Member): number | undefined {
    if (!this.#hasTables()) return undefined;
    const [row] = this.#sql
      .exec<MemberRow>('SELECT chart, run, bytes FROM machine WHERE chart = ? AND run = ?', chart, run)
      .toArray();
    return row && MEMBER.number(row, 'bytes');
  }

  /** Enters a machine, or the present size of its chart. */
  enter(member: Member, bytes: number): void {
    const before = this.bytesOf(member);
    if (before === bytes) return;
    if (!this.#hasTables()) migrate(this.#storage, TENANT_SCHEMA);
    const { chart, run } = member;
    this.#sql.exec(
      'INSERT INTO machine (chart, run, bytes) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes',
      chart,
      run,
      bytes,
    );
    this.#add(before === undefined ? 1 : 0, bytes - (before ?? 0));
  }

  /** Removes a machine; one that is not in the registry changes nothing. */
  leave(member: Member): void {
    const before = this.bytesOf(member);
    if (before === undefined) return;
    this.#sql.exec('DELETE FROM machine WHERE chart = ? AND run = ?', member.chart, member.run);
    this.#add(-1, -before);
  }

  /** Keeps the last revision of a deleted machine. Beyond `DELETED` the oldest go, and raise the floor for all. */
  keepRevision({ chart, run }: Member, revision: number): void {
    this.#sql.exec('DELETE FROM deleted WHERE chart = ? AND run = ?', chart, run);
    this.#sql.exec('INSERT INTO deleted (chart, run, revision) VALUES (?, ?, ?)', chart, run, revision);
    const oldest = 'SELECT number FROM deleted ORDER BY number DESC LIMIT -1 OFFSET ?';
    this.#sql.exec(
      `UPDATE total SET floor = max(floor, coalesce((SELECT max(revision) FROM deleted WHERE number IN (${oldest})), 0))`,
      DELETED,
    );
    this.#sql.exec(`DELETE FROM deleted WHERE number IN (${oldest})`, DELETED);
  }

  /** Returns the revision from which a new machine at an address goes on; 0 where there was none before. */
  lastRevision({ chart, run }: Member): number {
    if (!this.#hasTables()) return 0;
    const [row] = this.#sql
      .exec<{ revision: number }>(
        `SELECT max(total.floor, coalesce(deleted.revision, 0)) AS revision
           FROM total LEFT JOIN deleted ON deleted.chart = ? AND deleted.run = ?`,
        chart,
        run,
      )
      .toArray();
    return row === undefined ? 0 : LAST.number(row, 'revision');
  }

  /** Notes a restore. A machine has one at a time. */
  noteRestoration(note: Restoration): void {
    const statement = 'INSERT OR REPLACE INTO restoring (machine, note) VALUES (?, ?)';
    this.#restoring.insert(statement, note.machine, JSON.stringify(note));
  }

  /** Returns the restores under way: of one machine, or of all. */
  restorations(machine?: string): Restoration[] {
    const rows =
      machine === undefined
        ? this.#restoring.rows<NoteRow>('SELECT machine, note FROM restoring')
        : this.#restoring.rows<NoteRow>('SELECT machine, note FROM restoring WHERE machine = ?', machine);
    return rows.map((row) => NOTE.json(row, 'note', isRestoration));
  }

  /** Forgets a restore: it is finished. */
  dropRestoration(machine: string): void {
    this.#restoring.delete('DELETE FROM restoring WHERE machine = ?', machine);
  }

  /** What the machines have told; undefined where there are none. */
  get listing(): ListingTable | undefined {
    return this.#hasTables() ? this.#listing : undefined;
  }

  #add(machines: number, bytes: number): void {
    this.#sql.exec('UPDATE total SET machines = machines + ?, bytes = bytes + ?', machines, bytes);
  }

  /** Whether there are tables; brings them to the newest version. */
  #hasTables(): boolean {
    if (this.#ready || !hasSchema(this.#sql)) return this.#ready;
    migrate(this.#storage, TENANT_SCHEMA);
    this.#ready = true;
    return true;
  }
}
