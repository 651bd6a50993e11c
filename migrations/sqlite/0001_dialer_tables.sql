-- Instants are Unix milliseconds, UTC. The tables that every call writes have no foreign keys: each would lock rows
-- that all calls share. The same tables, columns and names stand in ../postgres.

CREATE TABLE installation (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    id          TEXT    NOT NULL,
    number_key  TEXT    NOT NULL,               -- 32 hex digits: the key that number_key columns are hashed with
    created_at  INTEGER NOT NULL
);

CREATE TABLE lanes (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    kind          TEXT    NOT NULL,
    settings      TEXT    NOT NULL,             -- JSON: limits, hours, zone; an owner's file must say the same
    state         TEXT    NOT NULL CHECK (state IN ('open', 'paused')),
    reason        TEXT,                         -- why paused
    changed_at    INTEGER NOT NULL,
    slowed_until  INTEGER NOT NULL DEFAULT 0,   -- nothing is planned before this moment
    slowed_reason TEXT,
    troubles      INTEGER NOT NULL DEFAULT 0,   -- requests in a row that failed without a refusal
    epoch         INTEGER NOT NULL DEFAULT 0,   -- grows whenever the lane changes hands
    owner         TEXT,                         -- the process that dials it
    lease_until   INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE lane_days (
    lane_id INTEGER NOT NULL REFERENCES lanes (id),
    day     TEXT    NOT NULL,                   -- date on the lane's own calendar
    calls   INTEGER NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (lane_id, day)
) WITHOUT ROWID;

CREATE TABLE campaigns (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    lane_id     INTEGER NOT NULL REFERENCES lanes (id),
    state       TEXT    NOT NULL CHECK (state IN ('running', 'paused', 'cancelled')),
    reason      TEXT,
    priority    INTEGER NOT NULL,
    revision    INTEGER NOT NULL,               -- grows with every change of the rules or the state
    rules       TEXT    NOT NULL,               -- JSON: the campaign as applied
    run_id      INTEGER,                        -- the current run
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL
);

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    number      INTEGER NOT NULL,
    key         TEXT,
    ready       BOOLEAN NOT NULL DEFAULT FALSE, -- its first import is complete
    started_at  INTEGER NOT NULL,
    last_dial_at INTEGER,
    finished_at INTEGER,
    follower    TEXT,                           -- the `run` command that lives for it
    follower_until INTEGER NOT NULL DEFAULT 0,
    UNIQUE (campaign_id, number),
    UNIQUE (campaign_id, key)
);

-- Counts by name, kept in the transactions that change what they count: contact:waiting, attempt:placed, …
CREATE TABLE run_counts (
    run_id INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (run_id, name)
) WITHOUT ROWID;

-- Waiting contacts of one run that share zones and a dial class. A window that opens changes buckets, not contacts.
CREATE TABLE buckets (
    id          INTEGER PRIMARY KEY,
    lane_id     INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    run_id      INTEGER NOT NULL,
    zones       TEXT    NOT NULL,
    class       TEXT    NOT NULL CHECK (class IN ('callback', 'retry', 'capped', 'first')),
    priority    INTEGER NOT NULL,
    waiting     INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    head_due    INTEGER NOT NULL,               -- no contact of it is due earlier
    eligible_at INTEGER NOT NULL,               -- the later of head_due and the next opening
    UNIQUE (run_id, zones, class)
);
CREATE INDEX buckets_eligible ON buckets (lane_id, eligible_at);

CREATE TABLE imports (
    id           INTEGER PRIMARY KEY,
    run_id       INTEGER NOT NULL REFERENCES runs (id),
    source       TEXT    NOT NULL,
    digest       TEXT    NOT NULL,              -- SHA-256 of the file and of how it is read
    state        TEXT    NOT NULL CHECK (state IN ('loading', 'complete')),
    rows         INTEGER NOT NULL DEFAULT 0,
    accepted     INTEGER NOT NULL DEFAULT 0,
    updated      INTEGER NOT NULL DEFAULT 0,
    unchanged    INTEGER NOT NULL DEFAULT 0,
    duplicate    INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    started_at   INTEGER NOT NULL,
    completed_at INTEGER,
    UNIQUE (run_id, digest)
);

CREATE TABLE rejects (
    import_id  INTEGER NOT NULL REFERENCES imports (id),
    row_number INTEGER NOT NULL,                -- counted from 1, without the header
    line       INTEGER NOT NULL,                -- in the file, counted from 1
    reason     TEXT    NOT NULL,
    PRIMARY KEY (import_id, row_number)
) WITHOUT ROWID;

CREATE TABLE contacts (
    id            INTEGER PRIMARY KEY,
    run_id        INTEGER NOT NULL,
    bucket_id     INTEGER NOT NULL,
    import_id     INTEGER NOT NULL,
    row_number    INTEGER NOT NULL,
    number        TEXT    NOT NULL,
    number_key    INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('waiting', 'active', 'done', 'stopped', 'review')),
    due_at        INTEGER NOT NULL,
    calls         INTEGER NOT NULL DEFAULT 0,   -- counted calls in this run
    tally         TEXT    NOT NULL DEFAULT '{}',-- JSON: calls by outcome
    stop_reason   TEXT,
    last_outcome  TEXT,
    last_attempt  INTEGER,
    reached       BOOLEAN NOT NULL DEFAULT FALSE,
    finished_at   INTEGER,
    fields        TEXT    NOT NULL,             -- JSON: the row as it stood in the file
    CHECK ((state = 'stopped') = (stop_reason IS NOT NULL)),
    CHECK ((state IN ('done', 'stopped')) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX contacts_number ON contacts (run_id, number_key);
CREATE INDEX contacts_due ON contacts (bucket_id, due_at, id) WHERE state = 'waiting';

CREATE TABLE attempts (
    id            INTEGER PRIMARY KEY,
    reference     TEXT    NOT NULL,             -- what we call it towards the vendor
    contact_id    INTEGER NOT NULL,
    run_id        INTEGER NOT NULL,
    lane_id       INTEGER NOT NULL,
    number_key    INTEGER NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('open', 'sending', 'placed', 'ended', 'lapsed', 'not_sent', 'refused', 'unknown', 'not_placed')),
    live          BOOLEAN NOT NULL,
    class         TEXT    NOT NULL,             -- why the contact was due
    epoch         INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    opened_at     INTEGER NOT NULL,
    dial_after    INTEGER NOT NULL,
    dial_before   INTEGER NOT NULL,
    sending_at    INTEGER,
    placed_at     INTEGER,
    ended_at      INTEGER,
    overdue_at    INTEGER,                      -- without news by then, slot and number are free again
    call_id       TEXT,                         -- the vendor's name for the call
    caller_id     TEXT,
    cause         TEXT,                         -- why it was not sent, refused, or is unknown
    outcome       TEXT,
    vendor_status TEXT,
    talk_seconds  INTEGER,
    cost_micros   INTEGER,                      -- millionths of the currency
    currency      TEXT,
    outputs       TEXT,                         -- JSON: what the agent collected
    recording_url TEXT,
    recording_expires_at INTEGER,
    transcript_url TEXT,
    transcript_expires_at INTEGER,
    CHECK (live = (state IN ('open', 'sending', 'placed', 'unknown'))),
    CHECK ((state = 'ended') = (outcome IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (state NOT IN ('sending', 'placed', 'ended', 'not_sent', 'refused', 'unknown', 'not_placed') OR sending_at IS NOT NULL),
    CHECK (state <> 'placed' OR call_id IS NOT NULL)
);
CREATE UNIQUE INDEX attempts_live_contact ON attempts (contact_id) WHERE live;
CREATE UNIQUE INDEX attempts_live_number ON attempts (number_key) WHERE live;
CREATE INDEX attempts_live_lane ON attempts (lane_id) WHERE live;
CREATE INDEX attempts_number ON attempts (number_key, opened_at);
CREATE UNIQUE INDEX attempts_call ON attempts (lane_id, call_id) WHERE call_id IS NOT NULL;

CREATE TABLE dnc (
    number_key INTEGER PRIMARY KEY,
    number     TEXT    NOT NULL,
    reason     TEXT,
    source     TEXT,
    added_at   INTEGER NOT NULL
);
