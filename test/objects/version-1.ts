/**
 * A database as version 1 of the schema has left it, with a machine in it: two updates have led from `a` to
 * `b`, and one of the three that `b` waits for has come. SQLite, as it was dumped. Frozen like the step that
 * made it (src/migrations.ts): machines such as this one are out there.
 */

/** 24 November 2026, 04:22:15 UTC. */
export const STARTED = 1795494135827;

const CHART =
  '{"current_state":"a","states":[{"name":"a","func":"increment","current":{"key":"count","value":0},"target":{"name":"b","when":{"key":"count","value":2}}},{"name":"b","func":"increment","current":{"key":"count","value":0},"target":{"name":"night","when":{"key":"count","value":3}}},{"name":"night","func":"time","target":{"name":"day","when":{"key":"clock","value":"2999-01-01T00:00:00"}}},{"name":"day"}]}';

export const VERSION_1 = `
  CREATE TABLE migration (version INTEGER PRIMARY KEY);
  INSERT INTO migration VALUES (1);

  CREATE TABLE machine (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    chart      TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    entries    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    snapshot   TEXT    NOT NULL
  );
  INSERT INTO machine VALUES (1, 'f128021dfdd2716aa6aeb512f0c400d1b315ff5f64fb0130f6bb83f952fb93e5', 4, 4, ${STARTED + 111},
    '{"value":"s2","status":"active","context":{"counts":{"s2/0/update":1},"data":{}},"visits":3,"timersSet":0,"active":[[2,3,${STARTED + 60}]]}');

  CREATE TABLE chart (
    hash       TEXT PRIMARY KEY,
    origin     TEXT NOT NULL,
    text       TEXT NOT NULL,
    definition TEXT NOT NULL
  ) WITHOUT ROWID;
  INSERT INTO chart VALUES ('f128021dfdd2716aa6aeb512f0c400d1b315ff5f64fb0130f6bb83f952fb93e5', 'bundle',
    '${CHART}',
    '${CHART.replace('{', '{"dialect":"sequence",')}');

  CREATE TABLE timer (
    id    INTEGER PRIMARY KEY,
    label TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    event TEXT    NOT NULL
  );

  CREATE TABLE visited (
    state   INTEGER PRIMARY KEY,
    left_at INTEGER NOT NULL
  );
  INSERT INTO visited VALUES (1, ${STARTED + 60});

  CREATE TABLE history (
    slot     INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    cause    TEXT    NOT NULL,
    event    TEXT,
    before   TEXT    NOT NULL,
    after    TEXT    NOT NULL,
    notes    TEXT
  );
  INSERT INTO history VALUES (1, 1, ${STARTED}, 'start', NULL, '[]', '["a"]', NULL);
  INSERT INTO history VALUES (2, 2, ${STARTED + 42}, 'update', 'update', '["a"]', '["a"]', NULL);
  INSERT INTO history VALUES (3, 3, ${STARTED + 60}, 'update', 'update', '["a"]', '["b"]', NULL);
  INSERT INTO history VALUES (4, 4, ${STARTED + 111}, 'update', 'update', '["b"]', '["b"]', NULL);
`;

/** The same two updates later: it stands in the state of the clock, and its timer is set. */
export const VERSION_1_AT_NIGHT = `${VERSION_1}
  UPDATE machine SET revision = 6, entries = 6, changed_at = ${STARTED + 149},
    snapshot = '{"value":"s3","status":"active","context":{"counts":{},"data":{}},"visits":4,"timersSet":1,"active":[[3,4,${STARTED + 149}]]}';
  INSERT INTO timer VALUES (1, 'xstate.at.0.s3', 32472144000000, 'xstate.at.0.s3');
  INSERT INTO visited VALUES (2, ${STARTED + 149});
  INSERT INTO history VALUES (5, 5, ${STARTED + 142}, 'update', 'update', '["b"]', '["b"]', NULL);
  INSERT INTO history VALUES (6, 6, ${STARTED + 149}, 'update', 'update', '["b"]', '["night"]', NULL);
`;
