/**
 * The schemas of the objects' storages, each as the steps that lead to it. Step `i` makes version `i + 1`.
 *
 * Append only: a step that was ever deployed is never edited, for there are objects that have run it. A step
 * only adds (tables, columns with a default), so that the version before still reads what it leaves.
 */

/** @returns whether a storage has any tables. Nothing is written to find that out. */
export function hasSchema(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'migration'").toArray().length > 0;
}

/**
 * Brings a storage to the newest version of its schema.
 *
 * @returns the version that it had; 0 for a new one.
 */
export function migrate(sql: SqlStorage, schema: readonly string[]): number {
  sql.exec('CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY)');
  const { version } = sql
    .exec<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM migration')
    .one();
  for (const [i, statements] of schema.entries()) {
    if (i < version) continue;
    sql.exec(statements);
    sql.exec('INSERT INTO migration (version) VALUES (?)', i + 1);
  }
  return version;
}

/** The first version of a machine's schema whose code enters machines on the lists of their tenants. */
export const FIRST_LISTED = 3;

/** Of a machine: `store.ts`. */
export const MACHINE_SCHEMA: readonly string[] = [
  `
  -- The one row of the machine itself. It stays small whatever the chart's size.
  CREATE TABLE machine (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    chart      TEXT    NOT NULL, -- chart.hash
    revision   INTEGER NOT NULL, -- committed changes
    entries    INTEGER NOT NULL, -- history rows ever written
    changed_at INTEGER NOT NULL, -- ms since the epoch
    snapshot   TEXT    NOT NULL  -- JSON: StoredSnapshot
  );

  -- The chart that the machine runs by.
  CREATE TABLE chart (
    hash       TEXT PRIMARY KEY, -- SHA-256 of the text, hexadecimal
    origin     TEXT NOT NULL,    -- upload, binding, bundle
    text       TEXT NOT NULL,    -- as it was written
    definition TEXT NOT NULL     -- JSON: Definition, as it was checked
  ) WITHOUT ROWID;

  -- Events that the chart sends itself.
  CREATE TABLE timer (
    id    INTEGER PRIMARY KEY,   -- never used twice in a run
    label TEXT    NOT NULL,      -- by which it is cancelled
    at    INTEGER NOT NULL,      -- ms since the epoch
    event TEXT    NOT NULL
  );

  -- States that were entered and left.
  CREATE TABLE visited (
    state   INTEGER PRIMARY KEY, -- its number in the chart
    left_at INTEGER NOT NULL     -- ms since the epoch, the last time
  );

  -- A ring: entry n lies in slot n modulo HISTORY_ROWS.
  CREATE TABLE history (
    slot     INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,   -- of the machine after it
    at       INTEGER NOT NULL,   -- ms since the epoch
    cause    TEXT    NOT NULL,   -- see Cause in src/store.ts
    event    TEXT,
    before   TEXT    NOT NULL,   -- JSON: names of the active states, outermost first
    after    TEXT    NOT NULL,
    notes    TEXT                -- JSON: guards that could not be evaluated, or why it was refused
  );
  `,
  `
  -- Who did it, and the state that was meant.
  ALTER TABLE history ADD COLUMN by TEXT;
  ALTER TABLE history ADD COLUMN state TEXT;

  -- The visit that ended when the state was left the last time.
  ALTER TABLE visited ADD COLUMN visit INTEGER NOT NULL DEFAULT 0;

  -- The revision at which the present run began.
  ALTER TABLE machine ADD COLUMN started INTEGER NOT NULL DEFAULT 1;

  -- The chart that was uploaded to this address, if one was. It need not be the one that the machine runs by.
  CREATE TABLE upload (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    hash TEXT NOT NULL,
    text TEXT NOT NULL
  );

  -- Requests that were answered: src/receipts.ts.
  CREATE TABLE receipt (
    key     TEXT PRIMARY KEY,
    number  INTEGER NOT NULL,    -- counts them; the smallest are the oldest
    visit   INTEGER NOT NULL,
    began   INTEGER NOT NULL,
    request TEXT    NOT NULL,
    answer  TEXT    NOT NULL
  ) WITHOUT ROWID;

  -- Slots that are held.
  CREATE TABLE claim (
    state  INTEGER NOT NULL,
    caller TEXT    NOT NULL,
    since  INTEGER NOT NULL,     -- ms since the epoch
    until  INTEGER NOT NULL,     -- ms since the epoch
    PRIMARY KEY (state, caller)
  ) WITHOUT ROWID;
  `,
  `
  -- Whose token it was.
  ALTER TABLE history ADD COLUMN sub TEXT;
  `,
  `
  -- JSON: names of the states that were entered, in that order; NULL where they are those of "after" that "before" lacks.
  ALTER TABLE history ADD COLUMN entered TEXT;
  `,
  `
  -- When the present run began, ms since the epoch. Older versions did not keep it: the history says it, as far as it
  -- goes back.
  ALTER TABLE machine ADD COLUMN started_at INTEGER NOT NULL DEFAULT 0;
  UPDATE machine SET started_at =
    coalesce((SELECT min(at) FROM history WHERE history.revision >= machine.started), changed_at);
  `,
  `
  -- JSON: src/metrics.ts. Empty where nothing was counted yet.
  ALTER TABLE machine ADD COLUMN counts TEXT NOT NULL DEFAULT '';
  `,
  `
  -- The length of all entries before this one, in characters, about.
  ALTER TABLE history ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
  `,
];

/** Of a tenant: `roster.ts`. */
export const TENANT_SCHEMA: readonly string[] = [
  `
  CREATE TABLE machine (
    chart TEXT    NOT NULL,
    run   TEXT    NOT NULL,      -- empty for the chart's own
    bytes INTEGER NOT NULL,      -- of its chart
    PRIMARY KEY (chart, run)
  ) WITHOUT ROWID;

  -- The one row of what they come to: to count them anew would be a scan.
  CREATE TABLE total (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    machines INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
  );
  INSERT INTO total (id, machines, bytes) VALUES (1, 0, 0);
  `,
];
