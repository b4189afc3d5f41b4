-- The ledger's file, version 2: what was sealed can be corrected and cancelled, and what the law
-- wants forgotten can be erased while the chain holds.

-- ── kept for good ────────────────────────────────────────────────────────────────────────────

-- An erasure empties a row's payload and may replace its subject by the subject's hash; what the
-- chain fixes stays.
DROP TRIGGER journal_no_update;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
WHEN NOT (NEW.payload = ''
          AND (NEW.subject = OLD.subject OR NEW.subject LIKE '%sha256:%')
          AND NEW.seq = OLD.seq AND NEW.at = OLD.at AND NEW.kind = OLD.kind
          AND NEW.payload_hash = OLD.payload_hash AND NEW.hash = OLD.hash)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a row is never changed'); END;

-- ── the projection ───────────────────────────────────────────────────────────────────────────

-- Records whose rows were erased: their number, so that works keep theirs, and their key as a
-- hash, so that they are not taken again.
CREATE TABLE forgotten (
    id   INTEGER PRIMARY KEY,              -- the journal row of the first revision
    key  BLOB NOT NULL UNIQUE,             -- SHA-256 of the record's key
    work INTEGER                           -- of tracked time: the work that it reports
) STRICT;

-- Clients that were erased.
CREATE TABLE erasure (
    client TEXT PRIMARY KEY,               -- as in the row `erased`
    row    INTEGER NOT NULL                -- the newest about it
) STRICT;

-- The highest number of each series among statements that were erased: none is given again.
CREATE TABLE series (
    series  TEXT PRIMARY KEY,
    running INTEGER NOT NULL
) STRICT;

-- A statement that reverses another is a statement itself.
ALTER TABLE statement ADD COLUMN cancels TEXT;
ALTER TABLE statement ADD COLUMN cancelled_by TEXT;

-- Accepted differences of sealed works.
CREATE TABLE correction (
    id        INTEGER PRIMARY KEY,         -- the journal row
    statement TEXT    NOT NULL REFERENCES statement (number), -- the one that it corrects
    work      INTEGER NOT NULL,
    charged   TEXT REFERENCES statement (number) -- the one that charges it; NULL: none yet
) STRICT;
CREATE INDEX correction_work ON correction (work);
CREATE INDEX correction_charged ON correction (charged);
CREATE INDEX correction_statement ON correction (statement);

-- The newest row about each part of the configuration.
CREATE TABLE configured (
    part TEXT    PRIMARY KEY,
    row  INTEGER NOT NULL
) STRICT;

-- ── what the running program remembers ───────────────────────────────────────────────────────

-- Matches and findings keep what they replace, so that a report can be made as of then.
ALTER TABLE match ADD COLUMN since INTEGER NOT NULL DEFAULT 0;   -- Unix seconds
CREATE TABLE match_past (
    work     INTEGER NOT NULL,
    task     TEXT,
    evidence TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL              -- when it was replaced or forgotten
) STRICT;
CREATE INDEX match_past_work ON match_past (work);

-- Since when it has these words.
ALTER TABLE finding ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE finding SET since = opened_at;
CREATE TABLE finding_past (
    id        TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    severity  TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    other     TEXT,
    client    TEXT,
    body      TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    since     INTEGER NOT NULL,
    until     INTEGER NOT NULL              -- when it got other words, or was opened again
) STRICT;
CREATE INDEX finding_past_id ON finding_past (id);
