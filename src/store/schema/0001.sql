-- The ledger's file, version 1. docs/ledger.md describes it for a stranger.
--
-- Three parts: what is kept for good (source, raw, journal), what the journal says now (the projection,
-- which `ledger rebuild` makes anew), and what the running program remembers (the rest).

-- ── kept for good ────────────────────────────────────────────────────────────────────────────

-- Streams of connections, numbered as they appear.
CREATE TABLE source (
    id         INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    stream     TEXT NOT NULL,
    UNIQUE (connection, stream)
) STRICT;

-- Records as they were received: those that a revision names, and those in quarantine.
CREATE TABLE raw (
    id          INTEGER PRIMARY KEY,
    source      INTEGER NOT NULL REFERENCES source (id),
    ext_id      TEXT    NOT NULL,
    scope       TEXT    NOT NULL,
    received_at INTEGER NOT NULL,          -- Unix seconds
    body        TEXT    NOT NULL
) STRICT;

-- The append-only chain.
CREATE TABLE journal (
    seq          INTEGER PRIMARY KEY,      -- 1, 2, 3 … without a gap
    at           INTEGER NOT NULL,         -- Unix seconds
    kind         TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    payload      TEXT    NOT NULL,         -- JSON
    payload_hash BLOB    NOT NULL,         -- SHA-256 of payload
    hash         BLOB    NOT NULL          -- SHA-256 over the row before and this one
) STRICT;

CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a row is never changed'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a row is never deleted'); END;
CREATE TRIGGER raw_no_update BEFORE UPDATE ON raw
BEGIN SELECT RAISE(ABORT, 'a received record is never changed'); END;

-- ── the projection ───────────────────────────────────────────────────────────────────────────

-- The current state of every record.
CREATE TABLE record (
    id        INTEGER PRIMARY KEY,         -- the journal row of its first revision
    source    INTEGER NOT NULL REFERENCES source (id),
    ext_id    TEXT    NOT NULL,
    scope     TEXT    NOT NULL,
    revision  INTEGER NOT NULL,            -- the journal row of its current revision
    content   BLOB    NOT NULL,            -- SHA-256 of the record's JSON
    deleted   INTEGER,                     -- the journal row that says so
    -- Of tracked time only:
    work      INTEGER,                     -- the record that first reported the same work
    speaks    INTEGER,                     -- 1: this record speaks for its work
    start_at  INTEGER,                     -- Unix seconds; of a day without times, 00:00 UTC
    seconds   INTEGER,                     -- NULL while the timer runs
    person    TEXT,
    project   TEXT,
    client    TEXT
) STRICT;

CREATE UNIQUE INDEX record_key ON record (source, ext_id);
CREATE INDEX record_time ON record (start_at, speaks, person, project, client, seconds)
    WHERE start_at IS NOT NULL;
CREATE INDEX record_running ON record (work) WHERE start_at IS NOT NULL AND seconds IS NULL;
CREATE INDEX record_work ON record (work) WHERE work <> id;

-- Sealed statements, and the works that they settle.
CREATE TABLE statement (
    number    TEXT    PRIMARY KEY,
    sealed    INTEGER NOT NULL,            -- the journal row
    client    TEXT    NOT NULL,
    first_day TEXT    NOT NULL,
    last_day  TEXT    NOT NULL,
    running   INTEGER NOT NULL,            -- the number's running part
    series    TEXT    NOT NULL             -- what the running part counts within: a year, a month
) STRICT;
CREATE INDEX statement_client ON statement (client, first_day);
CREATE TABLE settled (
    work      INTEGER PRIMARY KEY,
    statement TEXT    NOT NULL REFERENCES statement (number),
    line      INTEGER                      -- NULL: listed, not charged
) STRICT;
CREATE INDEX settled_statement ON settled (statement);

-- What a person taught: this text, for this client, is that task.
CREATE TABLE alias (
    client TEXT NOT NULL,
    text   TEXT NOT NULL,                  -- normalised
    task   TEXT NOT NULL,                  -- a record key
    PRIMARY KEY (client, text)
) STRICT;

-- ── what the running program remembers ───────────────────────────────────────────────────────

-- Received, and not understandable by this version.
CREATE TABLE quarantine (
    raw    INTEGER PRIMARY KEY REFERENCES raw (id),
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE connection (
    name        TEXT PRIMARY KEY,
    cursor      TEXT,
    pulled_at   INTEGER,                   -- the last pull that reached its end
    compared_at INTEGER,                   -- the last one that compared the open period
    failed_at   INTEGER,                   -- the last failure, unless one succeeded since
    failure     TEXT
) STRICT;

-- Records that a complete listing did not show, until a second look says what became of them.
CREATE TABLE absence (
    connection TEXT    NOT NULL,
    stream     TEXT    NOT NULL,
    ext_id     TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    held       INTEGER NOT NULL,           -- 1: too many at once, a person must say so
    PRIMARY KEY (connection, stream, ext_id)
) STRICT;

CREATE TABLE budget (
    connection   TEXT NOT NULL,
    bucket       TEXT NOT NULL,
    window_start INTEGER,
    used         INTEGER NOT NULL,
    told         INTEGER,
    told_until   INTEGER,
    parked_until INTEGER,
    PRIMARY KEY (connection, bucket)
) STRICT;

CREATE TABLE run (
    id          INTEGER PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    trigger     TEXT NOT NULL,
    report      TEXT                       -- JSON
) STRICT;

-- How far reconciliation has looked, and under which configuration.
CREATE TABLE mark (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE match (
    work     INTEGER PRIMARY KEY,
    task     TEXT,                         -- a record key
    evidence TEXT NOT NULL
) STRICT;
CREATE INDEX match_task ON match (task);

CREATE TABLE finding (
    id        TEXT PRIMARY KEY,
    kind      TEXT NOT NULL,
    severity  TEXT NOT NULL,
    subject   TEXT NOT NULL,
    other     TEXT,
    client    TEXT,
    body      TEXT NOT NULL,               -- JSON
    opened_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE INDEX finding_subject ON finding (subject);
CREATE INDEX finding_other ON finding (other);

CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    key        TEXT    NOT NULL UNIQUE,
    connection TEXT    NOT NULL,
    statement  TEXT    NOT NULL,
    path       TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    state      TEXT    NOT NULL,           -- queued, delivered, failed
    attempts   INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    location   TEXT,
    outcome    TEXT,
    error      TEXT,
    queued_at  INTEGER NOT NULL,
    done_at    INTEGER,
    body       BLOB    NOT NULL           -- last, so that the rest is read without it
) STRICT;
CREATE INDEX outbox_open ON outbox (not_before) WHERE state <> 'delivered';
CREATE INDEX outbox_statement ON outbox (statement);

-- Files taken from folder connections as imports, so that an unchanged file is not read again.
CREATE TABLE imported (
    connection TEXT NOT NULL,
    path       TEXT NOT NULL,
    version    TEXT NOT NULL,
    PRIMARY KEY (connection, path)
) STRICT;
