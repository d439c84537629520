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

/** Runs the steps that a storage has not run. A storage of a later version is left as it is. */
export function migrate(sql: SqlStorage, schema: readonly string[]): void {
  sql.exec('CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY)');
  const { version } = sql
    .exec<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM migration')
    .one();
  for (const [i, statements] of schema.entries()) {
    if (i < version) continue;
    sql.exec(statements);
    sql.exec('INSERT INTO migration (version) VALUES (?)', i + 1);
  }
}
