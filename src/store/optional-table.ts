import { OPTIONAL_TABLES } from './schema.ts';

/** A table that is created with its first row. Until then it reads as empty. */
export class OptionalTable {
  readonly #sql: SqlStorage;
  readonly #name: keyof typeof OPTIONAL_TABLES;
  #isKnown = false;

  constructor(sql: SqlStorage, name: keyof typeof OPTIONAL_TABLES) {
    this.#sql = sql;
    this.#name = name;
  }

  /** Returns the rows of a query; none where there is no table. */
  rows<Row extends Record<string, SqlStorageValue>>(query: string, ...bindings: SqlStorageValue[]): Row[] {
    return this.#exists() ? this.#sql.exec<Row>(query, ...bindings).toArray() : [];
  }

  /** Executes an `INSERT`. Creates the table where there is none; a rollback takes it away again. */
  insert(statement: string, ...bindings: SqlStorageValue[]): void {
    if (!this.#isKnown) this.#sql.exec(OPTIONAL_TABLES[this.#name]);
    this.#sql.exec(statement, ...bindings);
  }

  /** Executes a `DELETE`. */
  delete(statement: string, ...bindings: SqlStorageValue[]): void {
    if (this.#exists()) this.#sql.exec(statement, ...bindings);
  }

  /** Executes an `UPDATE`. Returns whether there were such rows. */
  update(statement: string, ...bindings: SqlStorageValue[]): boolean {
    return this.#exists() && this.#sql.exec(statement, ...bindings).rowsWritten > 0;
  }

  /** Forgets that the table is known to exist: storage was deleted, or a transaction was rolled back. */
  forget(): void {
    this.#isKnown = false;
  }

  /** A missing table is looked for each time: a second object of the same name may have created it. */
  #exists(): boolean {
    this.#isKnown ||=
      this.#sql.exec('SELECT 1 FROM sqlite_master WHERE name = ?', this.#name).toArray().length > 0;
    return this.#isKnown;
  }
}
