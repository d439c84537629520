/** The schemas of both objects. Append-only: see `migrations.ts`. */

/** The tables that every machine has. */
export const MACHINE_SCHEMA: readonly string[] = [
  `
  -- One row: the machine itself. Its size does not depend on the chart's.
  CREATE TABLE machine (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    chart      TEXT    NOT NULL, -- chart.hash
    revision   INTEGER NOT NULL, -- committed changes
    started    INTEGER NOT NULL, -- revision at which the present run began
    started_at INTEGER NOT NULL, -- when it began, ms since the epoch
    entries    INTEGER NOT NULL, -- history entries ever written
    changed_at INTEGER NOT NULL, -- last change, ms since the epoch
    snapshot   TEXT    NOT NULL, -- JSON: StoredSnapshot
    counts     TEXT    NOT NULL  -- JSON: StoredCounts
  );

  -- One row: the chart that the machine runs.
  CREATE TABLE chart (
    hash       TEXT PRIMARY KEY, -- SHA-256 of the text, hexadecimal
    origin     TEXT NOT NULL,    -- ChartOrigin
    text       TEXT NOT NULL,    -- as it was written
    definition TEXT NOT NULL     -- JSON: Definition, checked
  ) WITHOUT ROWID;

  -- A ring: entry n is in slot n modulo HISTORY_ROWS.
  CREATE TABLE history (
    slot     INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,   -- of the machine after the entry
    at       INTEGER NOT NULL,   -- ms since the epoch
    cause    TEXT    NOT NULL,   -- Cause
    event    TEXT,
    state    TEXT,               -- name of the state that the command addressed
    by       TEXT,               -- caller
    sub      TEXT,               -- subject of the token
    before   TEXT    NOT NULL,   -- JSON: names of the active states, outermost first
    after    TEXT    NOT NULL,   -- JSON: the same, after the entry
    entered  TEXT    NOT NULL,   -- JSON: names of the entered states, in order
    notes    TEXT    NOT NULL,   -- JSON: guards that could not be evaluated, or reasons of a refusal
    start    INTEGER NOT NULL    -- length of all entries before this one, in characters, about
  );
  `,
  `
  -- JSON: the data of a report; null where it had none.
  ALTER TABLE history ADD COLUMN data TEXT;
  `,
];

/**
 * The tables that many objects never need. Each is created with its first row, because Cloudflare bills a
 * new table as two written rows. Their text is frozen as a step of the schema is: a step that alters one of them creates
 * it first.
 */
export const OPTIONAL_TABLES = {
  upload: `
  -- At most one row: the chart uploaded to this address. The machine may still run another one.
  CREATE TABLE IF NOT EXISTS upload (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    hash TEXT NOT NULL,          -- SHA-256 of the text, hexadecimal
    text TEXT NOT NULL
  );
  `,
  timer: `
  -- Events that the chart sends itself later.
  CREATE TABLE IF NOT EXISTS timer (
    id    INTEGER PRIMARY KEY,   -- unique in a run
    label TEXT    NOT NULL,      -- cancels the timer
    at    INTEGER NOT NULL,      -- due, ms since the epoch
    event TEXT    NOT NULL
  );
  `,
  visited: `
  -- The last ended visit of each state that was left in the present run.
  CREATE TABLE IF NOT EXISTS visited (
    state   INTEGER PRIMARY KEY, -- StateNumber
    visit   INTEGER NOT NULL,    -- number of the visit
    left_at INTEGER NOT NULL     -- ms since the epoch
  );
  `,
  claim: `
  -- Slots that are held.
  CREATE TABLE IF NOT EXISTS claim (
    state  INTEGER NOT NULL,     -- StateNumber
    caller TEXT    NOT NULL,
    since  INTEGER NOT NULL,     -- ms since the epoch
    until  INTEGER NOT NULL,     -- end of the lease, ms since the epoch
    PRIMARY KEY (state, caller)
  ) WITHOUT ROWID;
  `,
  inputs: `
  -- At most one row: the inputs of the run, if its chart has any.
  CREATE TABLE IF NOT EXISTS inputs (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    inputs TEXT NOT NULL         -- JSON: Inputs
  );
  `,
  pause: `
  -- At most one row: the pause of the run.
  CREATE TABLE IF NOT EXISTS pause (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    pause TEXT NOT NULL          -- JSON: Pause
  );
  `,
  cooling: `
  -- Slots in their cooldown.
  CREATE TABLE IF NOT EXISTS cooling (
    state INTEGER NOT NULL,      -- StateNumber
    slot  INTEGER NOT NULL,      -- numbers the slots of a state that have been in a cooldown, from 0
    until INTEGER NOT NULL,      -- when the slot is free, ms since the epoch
    PRIMARY KEY (state, slot)
  ) WITHOUT ROWID;
  `,
  members: `
  -- At most one row: the machine's list of members.
  CREATE TABLE IF NOT EXISTS members (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,   -- of the machine after the list was changed
    list     TEXT    NOT NULL    -- JSON: [[name, {label: value}], …]
  );
  `,
  notification: `
  -- The outbox: messages to hooks.
  CREATE TABLE IF NOT EXISTS notification (
    hook     TEXT    NOT NULL,   -- its name
    entry    INTEGER NOT NULL,   -- id of the history entry that is told
    at       INTEGER NOT NULL,   -- put here, or asked for again, ms since the epoch
    status   TEXT    NOT NULL,   -- pending, sent or failed
    attempts INTEGER NOT NULL,   -- attempts that have failed
    next     INTEGER NOT NULL,   -- of a pending one: next attempt; else: sent or given up; ms since the epoch
    failure  TEXT,               -- why the last attempt has failed
    content  TEXT    NOT NULL,   -- JSON: HistoryEntry
    PRIMARY KEY (hook, entry)
  ) WITHOUT ROWID;
  `,
  dropped_notification: `
  -- Pending messages that were dropped to make room.
  CREATE TABLE IF NOT EXISTS dropped_notification (
    hook  TEXT PRIMARY KEY,      -- its name
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,      -- id of the history entry of the first one
    last  INTEGER NOT NULL,      -- of the last one
    at    INTEGER NOT NULL       -- when the last one was dropped, ms since the epoch
  ) WITHOUT ROWID;
  `,
  receipt: `
  -- Reports and requests that were answered: receipt-table.ts.
  CREATE TABLE IF NOT EXISTS receipt (
    key     TEXT PRIMARY KEY,    -- reportKey or requestKey
    number  INTEGER NOT NULL,    -- order of writing; the oldest has the smallest
    visit   INTEGER NOT NULL,    -- of a report: visit of the state it was sent to; else 0
    began   INTEGER NOT NULL,    -- of a report: visits begun in the run until then; else 0
    request TEXT    NOT NULL,    -- of a request: hashOfRequest; of a report: the shares that counted it
    answer  TEXT    NOT NULL     -- JSON. Of a request: the response; of a report: reportAnswer
  ) WITHOUT ROWID;
  `,
  restoring: `
  -- Of a tenant: restores under way. The storage of the machine forgets them.
  CREATE TABLE IF NOT EXISTS restoring (
    machine TEXT PRIMARY KEY,    -- its address
    note    TEXT NOT NULL        -- JSON: Restoration
  ) WITHOUT ROWID;
  `,
} as const satisfies Readonly<Record<string, string>>;

/** The tables of a tenant. */
export const TENANT_SCHEMA: readonly string[] = [
  `
  -- The tenant's machines.
  CREATE TABLE machine (
    chart TEXT    NOT NULL,
    run   TEXT    NOT NULL,      -- empty for the chart's own machine
    bytes INTEGER NOT NULL,      -- of its chart: text and definition
    PRIMARY KEY (chart, run)
  ) WITHOUT ROWID;

  -- The last revisions of deleted machines: the next machine at the address goes on from there.
  CREATE TABLE deleted (
    number   INTEGER PRIMARY KEY, -- counts deletions: the smallest is the oldest
    chart    TEXT    NOT NULL,
    run      TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    UNIQUE (chart, run)
  );

  -- One row: the sums over the machines, because a sum per request would be a scan.
  CREATE TABLE total (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    machines INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    floor    INTEGER NOT NULL     -- the largest revision among the rows of deleted that were pruned
  );
  INSERT INTO total (id, machines, bytes, floor) VALUES (1, 0, 0, 0);
  `,
  `
  -- What the machine has told: its list is filtered, counted and sorted by it.
  ALTER TABLE machine ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- of the machine then; 0 if it has told nothing
  ALTER TABLE machine ADD COLUMN states   TEXT;                       -- JSON: names of the active states; null if they are too long
  ALTER TABLE machine ADD COLUMN state    TEXT    NOT NULL DEFAULT '';-- names of the innermost ones
  ALTER TABLE machine ADD COLUMN since    INTEGER NOT NULL DEFAULT 0; -- when the newest was entered, ms since the epoch
  ALTER TABLE machine ADD COLUMN outcome  TEXT    NOT NULL DEFAULT '';-- active, done or failed
  ALTER TABLE machine ADD COLUMN paused   INTEGER NOT NULL DEFAULT 0; -- 1 if it is
  ALTER TABLE machine ADD COLUMN deadline INTEGER;                    -- ms since the epoch
  ALTER TABLE machine ADD COLUMN late_at  INTEGER;                    -- from when on it is late, ms since the epoch

  -- Partial: a machine that enters writes no row of them. A row of an index is billed as one of the table, so there is none by
  -- state: a list in that order reads all machines.
  CREATE INDEX machine_by_since ON machine (since, chart, run) WHERE revision > 0;
  CREATE INDEX machine_by_deadline ON machine (deadline, chart, run, late_at) WHERE deadline IS NOT NULL;
  CREATE INDEX machine_in_trouble ON machine (outcome, paused) WHERE outcome = 'failed' OR paused = 1;
  `,
];
