import type { Members } from '../chart/chart.ts';
import { LruCache } from '../lru-cache.ts';
import { OptionalTable } from './optional-table.ts';
import { RowParser } from './row-parser.ts';
import { isMemberList } from './stored-json.ts';
import type { StoredMembers } from './stored-machine.ts';

/** The table of a machine's members: one row for the whole list, because rows are billed. */
export class MembersTable {
  readonly #table: OptionalTable;

  constructor(sql: SqlStorage) {
    this.#table = new OptionalTable(sql, 'members');
  }

  /** Returns the list; undefined where the machine has none. @throws `DamagedRow` */
  read(): StoredMembers | undefined {
    const [row] = this.#table.rows<MembersRow>('SELECT revision, list FROM members');
    if (row === undefined) return undefined;
    return { revision: ROW.number(row, 'revision'), members: readMembers(ROW.text(row, 'list')) };
  }

  /** Returns the revision of the list; 0 where there is none. */
  revision(): number {
    const [row] = this.#table.rows<Pick<MembersRow, 'revision'>>('SELECT revision FROM members');
    return row === undefined ? 0 : ROW.number(row, 'revision');
  }

  /** Returns the list as JSON; that of an empty one where the machine has none. */
  text(): string {
    const [row] = this.#table.rows<Pick<MembersRow, 'list'>>('SELECT list FROM members');
    return row === undefined ? '[]' : ROW.text(row, 'list');
  }

  /** Replaces the list; null takes it away. */
  write(members: StoredMembers | null): void {
    if (members === null) this.#table.delete('DELETE FROM members');
    else {
      this.#table.insert(
        'INSERT OR REPLACE INTO members (id, revision, list) VALUES (1, ?, ?)',
        members.revision,
        writeMembers(members.members),
      );
    }
  }

  /** Forgets what it knows of the table: storage was deleted, or a transaction was rolled back. */
  forget(): void {
    this.#table.forget();
  }
}

/** Writes a list as JSON: `[[name, {label: value}], …]`. */
export function writeMembers(members: Members): string {
  return JSON.stringify([...members]);
}

/**
 * The inverse of `writeMembers`. The same text again is the same list, also in another object of the isolate: the runs of a
 * chart share its members, and what is known of them.
 *
 * @throws where the text is none of its results.
 */
export function readMembers(list: string): Members {
  return lists.get(list) ?? lists.set(list, new Map(ROW.json({ list }, 'list', isMemberList)));
}

/** Lists that an isolate keeps as they were read, by their text: some 5 MB each for the largest. */
const LISTS_READ = 8;
const lists = new LruCache<string, Members>(LISTS_READ);

type MembersRow = {
  /** `StoredMembers.revision`. */
  revision: number;
  /** JSON: `MemberList`. */
  list: string;
};

const ROW = new RowParser<MembersRow>('members');
