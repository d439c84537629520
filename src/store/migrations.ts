/**
 * Append-only migrations. A schema is a list of steps; step `i` makes version `i + 1`.
 *
 * A released step is never edited, because objects have run it. A step only adds tables, and columns with a default,
 * so the version before reads and writes what a step leaves: a rollback by one version is safe.
 */

/** Returns whether a storage has tables. It only reads: an address that was never used stays empty. */
export function hasSchema(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'migration'").toArray().length > 0;
}

/** What a migration needs of a storage: its database, and transactions. */
export type Migratable = Pick<DurableObjectStorage, 'sql' | 'transactionSync'>;

/** Runs the steps that a storage has not run: all of them, or none. A storage of a later version is left as it is. */
export function migrate(storage: Migratable, schema: readonly string[]): void {
  const { sql } = storage;
  const version = versionOf(sql);
  if (version >= schema.length) return;
  storage.transactionSync(() => {
    sql.exec('CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY)');
    for (const statements of schema.slice(version)) sql.exec(statements);
    // One row whatever the number of steps: rows are billed.
    sql.exec('INSERT INTO migration (version) VALUES (?)', schema.length);
  });
}

/** Returns how many steps a storage has run. */
function versionOf(sql: SqlStorage): number {
  if (!hasSchema(sql)) return 0;
  return sql.exec<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM migration').one()
    .version;
}
