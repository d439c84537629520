/**
 * The schema of a machine's storage, as the steps that lead to it. Step `i` makes version `i + 1`.
 *
 * Append only: a step that was ever deployed is never edited, for there are machines that have run it. A step
 * only adds (tables, columns with a default), so that the version before still reads what it leaves.
 */
export const MIGRATIONS: readonly string[] = [
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
    origin     TEXT NOT NULL,    -- binding, bundle
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
    cause    TEXT    NOT NULL,   -- start, update, timer, refused
    event    TEXT,
    before   TEXT    NOT NULL,   -- JSON: names of the active states, outermost first
    after    TEXT    NOT NULL,
    notes    TEXT                -- JSON: guards that could not be evaluated, or why it was refused
  );
  `,
];
