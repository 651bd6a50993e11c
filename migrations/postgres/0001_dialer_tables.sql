-- Instants are Unix milliseconds, UTC. The tables that every call writes have no foreign keys: each would lock rows
-- that all calls share. The same tables, columns and names stand in ../sqlite.

CREATE TABLE installation (
    only_row    BIGINT  PRIMARY KEY CHECK (only_row = 1),
    id          TEXT    NOT NULL,
    number_key  TEXT    NOT NULL,               -- 32 hex digits: the key that number_key columns are hashed with
    created_at  BIGINT  NOT NULL
);

CREATE TABLE lanes (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    kind          TEXT    NOT NULL,
    settings      JSONB   NOT NULL,             -- JSON: limits, hours, zone; an owner's file must say the same
    state         TEXT    NOT NULL CHECK (state IN ('open', 'paused')),
    reason        TEXT,                         -- why paused
    changed_at    BIGINT  NOT NULL,
    slowed_until  BIGINT  NOT NULL DEFAULT 0,   -- nothing is planned before this moment
    slowed_reason TEXT,
    troubles      BIGINT  NOT NULL DEFAULT 0,   -- requests in a row that failed without a refusal
    epoch         BIGINT  NOT NULL DEFAULT 0,   -- grows whenever the lane changes hands
    owner         TEXT,                         -- the process that dials it
    lease_until   BIGINT  NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE lane_days (
    lane_id BIGINT  NOT NULL REFERENCES lanes (id),
    day     TEXT    NOT NULL,                   -- date on the lane's own calendar
    calls   BIGINT  NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (lane_id, day)
);

CREATE TABLE campaigns (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    lane_id     BIGINT  NOT NULL REFERENCES lanes (id),
    state       TEXT    NOT NULL CHECK (state IN ('running', 'paused', 'cancelled')),
    reason      TEXT,
    priority    BIGINT  NOT NULL,
    revision    BIGINT  NOT NULL,               -- grows with every change of the rules or the state
    rules       JSONB   NOT NULL,               -- JSON: the campaign as applied
    run_id      BIGINT ,                        -- the current run
    created_at  BIGINT  NOT NULL,
    changed_at  BIGINT  NOT NULL
);

CREATE TABLE runs (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id BIGINT  NOT NULL REFERENCES campaigns (id),
    number      BIGINT  NOT NULL,
    key         TEXT,
    ready       BOOLEAN NOT NULL DEFAULT FALSE, -- its first import is complete
    started_at  BIGINT  NOT NULL,
    last_dial_at BIGINT ,
    finished_at BIGINT ,
    follower    TEXT,                           -- the `run` command that lives for it
    follower_until BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (campaign_id, number),
    UNIQUE (campaign_id, key)
);

-- Counts by name, kept in the transactions that change what they count: contact:waiting, attempt:placed, …
CREATE TABLE run_counts (
    run_id BIGINT  NOT NULL,
    name   TEXT    NOT NULL,
    n      BIGINT  NOT NULL,
    PRIMARY KEY (run_id, name)
) WITH (fillfactor = 50);

-- Waiting contacts of one run that share zones and a dial class. A window that opens changes buckets, not contacts.
CREATE TABLE buckets (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id     BIGINT  NOT NULL,
    campaign_id BIGINT  NOT NULL,
    run_id      BIGINT  NOT NULL,
    zones       TEXT    NOT NULL,
    class       TEXT    NOT NULL CHECK (class IN ('callback', 'retry', 'capped', 'first')),
    priority    BIGINT  NOT NULL,
    waiting     BIGINT  NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    head_due    BIGINT  NOT NULL,               -- no contact of it is due earlier
    eligible_at BIGINT  NOT NULL,               -- the later of head_due and the next opening
    UNIQUE (run_id, zones, class)
) WITH (fillfactor = 70);
CREATE INDEX buckets_eligible ON buckets (lane_id, eligible_at);

CREATE TABLE imports (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id       BIGINT  NOT NULL REFERENCES runs (id),
    source       TEXT    NOT NULL,
    digest       TEXT    NOT NULL,              -- SHA-256 of the file and of how it is read
    state        TEXT    NOT NULL CHECK (state IN ('loading', 'complete')),
    rows         BIGINT  NOT NULL DEFAULT 0,
    accepted     BIGINT  NOT NULL DEFAULT 0,
    updated      BIGINT  NOT NULL DEFAULT 0,
    unchanged    BIGINT  NOT NULL DEFAULT 0,
    duplicate    BIGINT  NOT NULL DEFAULT 0,
    rejected     BIGINT  NOT NULL DEFAULT 0,
    started_at   BIGINT  NOT NULL,
    completed_at BIGINT ,
    UNIQUE (run_id, digest)
);

CREATE TABLE rejects (
    import_id  BIGINT  NOT NULL REFERENCES imports (id),
    row_number BIGINT  NOT NULL,                -- counted from 1, without the header
    line       BIGINT  NOT NULL,                -- in the file, counted from 1
    reason     TEXT    NOT NULL,
    PRIMARY KEY (import_id, row_number)
);

CREATE TABLE contacts (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id        BIGINT  NOT NULL,
    bucket_id     BIGINT  NOT NULL,
    import_id     BIGINT  NOT NULL,
    row_number    BIGINT  NOT NULL,
    number        TEXT    NOT NULL,
    number_key    BIGINT  NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('waiting', 'active', 'done', 'stopped', 'review')),
    due_at        BIGINT  NOT NULL,
    calls         BIGINT  NOT NULL DEFAULT 0,   -- counted calls in this run
    tally         JSONB   NOT NULL DEFAULT '{}',-- JSON: calls by outcome
    stop_reason   TEXT,
    last_outcome  TEXT,
    last_attempt  BIGINT ,
    reached       BOOLEAN NOT NULL DEFAULT FALSE,
    finished_at   BIGINT ,
    fields        JSONB   NOT NULL,             -- JSON: the row as it stood in the file
    CHECK ((state = 'stopped') = (stop_reason IS NOT NULL)),
    CHECK ((state IN ('done', 'stopped')) = (finished_at IS NOT NULL))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX contacts_number ON contacts (run_id, number_key);
CREATE INDEX contacts_due ON contacts (bucket_id, due_at, id) WHERE state = 'waiting';

CREATE TABLE attempts (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference     TEXT    NOT NULL,             -- what we call it towards the vendor
    contact_id    BIGINT  NOT NULL,
    run_id        BIGINT  NOT NULL,
    lane_id       BIGINT  NOT NULL,
    number_key    BIGINT  NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('open', 'sending', 'placed', 'ended', 'lapsed', 'not_sent', 'refused', 'unknown', 'not_placed')),
    live          BOOLEAN NOT NULL,
    class         TEXT    NOT NULL,             -- why the contact was due
    epoch         BIGINT  NOT NULL,
    revision      BIGINT  NOT NULL,
    opened_at     BIGINT  NOT NULL,
    dial_after    BIGINT  NOT NULL,
    dial_before   BIGINT  NOT NULL,
    sending_at    BIGINT ,
    placed_at     BIGINT ,
    ended_at      BIGINT ,
    overdue_at    BIGINT ,                      -- without news by then, slot and number are free again
    call_id       TEXT,                         -- the vendor's name for the call
    caller_id     TEXT,
    cause         TEXT,                         -- why it was not sent, refused, or is unknown
    outcome       TEXT,
    vendor_status TEXT,
    talk_seconds  BIGINT ,
    cost_micros   BIGINT ,                      -- millionths of the currency
    currency      TEXT,
    outputs       JSONB,                        -- JSON: what the agent collected
    recording_url TEXT,
    recording_expires_at BIGINT ,
    transcript_url TEXT,
    transcript_expires_at BIGINT ,
    CHECK (live = (state IN ('open', 'sending', 'placed', 'unknown'))),
    CHECK ((state = 'ended') = (outcome IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (state NOT IN ('sending', 'placed', 'ended', 'not_sent', 'refused', 'unknown', 'not_placed') OR sending_at IS NOT NULL),
    CHECK (state <> 'placed' OR call_id IS NOT NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX attempts_live_contact ON attempts (contact_id) WHERE live;
CREATE UNIQUE INDEX attempts_live_number ON attempts (number_key) WHERE live;
CREATE INDEX attempts_live_lane ON attempts (lane_id) WHERE live;
CREATE INDEX attempts_number ON attempts (number_key, opened_at);
CREATE UNIQUE INDEX attempts_call ON attempts (lane_id, call_id) WHERE call_id IS NOT NULL;

CREATE TABLE dnc (
    number_key BIGINT PRIMARY KEY,
    number     TEXT    NOT NULL,
    reason     TEXT,
    source     TEXT,
    added_at   BIGINT  NOT NULL
);
