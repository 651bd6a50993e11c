-- What shows that this database is the one that it was, and what holds it while that is in doubt.

CREATE TABLE witness (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    commits     INTEGER NOT NULL DEFAULT 0,    -- SQLite: grows in every transaction that writes
    place       TEXT,                          -- Postgres: server, timeline and database when it was last trusted
    written_by  INTEGER                        -- Postgres: the transaction that wrote this row; a restored row has another one
);
INSERT INTO witness (only_row) VALUES (1);

-- Nobody is dialled while one of these is not lifted.
CREATE TABLE quarantines (
    id          INTEGER PRIMARY KEY,
    noticed_at  INTEGER NOT NULL,
    cause       TEXT    NOT NULL,              -- what was noticed, for people
    since       INTEGER,                       -- calls from this moment on may be missing here; null when nobody knows
    replaces    TEXT,                          -- the installation that dialled before, when it was another one
    lifted_at   INTEGER,
    lifted_by   TEXT,                          -- user and machine
    reason      TEXT,                          -- why it was lifted
    CHECK ((lifted_at IS NULL) = (reason IS NULL))
);
CREATE UNIQUE INDEX quarantines_open ON quarantines ((lifted_at IS NULL)) WHERE lifted_at IS NULL;

-- What each vendor was asked meanwhile, and what came of it.
CREATE TABLE quarantine_lanes (
    quarantine_id INTEGER NOT NULL REFERENCES quarantines (id),
    lane        TEXT    NOT NULL,
    asked_at    INTEGER NOT NULL,
    listed      INTEGER,                       -- calls that the vendor knows; null when it has no list
    known       INTEGER NOT NULL DEFAULT 0,    -- of these: the database has them
    adopted     INTEGER NOT NULL DEFAULT 0,    -- of these: entered as calls of our contacts, over all questions
    waiting     INTEGER NOT NULL DEFAULT 0,    -- of these: can be entered when an earlier call of the number is settled
    strange     INTEGER NOT NULL DEFAULT 0,    -- of these: no contact fits
    trouble     TEXT,                          -- why the question was not answered
    PRIMARY KEY (quarantine_id, lane)
) WITHOUT ROWID;
