-- All of Ringfence's tables.
--
-- Moments are Unix milliseconds, UTC. Columns that end in `_id` name the row of another table. The tables that
-- every call writes have no foreign keys: each would lock rows that all calls share.
-- The same tables, columns and rules stand in ../postgres; a test compares them. Truth values are 0 and 1.
-- Once a version is released this file does not change: a new file beside it changes the tables.

-- What this database is, and whether everything is stopped.
CREATE TABLE installation (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    id TEXT NOT NULL,                           -- made once; reports, backups and witness files name it
    -- 32 hex digits: the key that `number_key` columns are hashed with
    number_key TEXT NOT NULL,
    report_key TEXT NOT NULL,                   -- 32 hex digits: the key that makes the addresses for reports
    created_at INTEGER NOT NULL,
    change_base INTEGER NOT NULL DEFAULT 0,    -- added to the numbers of transactions; grows when it is put back
    change_era INTEGER NOT NULL DEFAULT 0,     -- since when the numbers are of one history
    stopped_at INTEGER,                         -- everything is stopped since then
    stop_reason TEXT                            -- why
) STRICT;

-- A lane: one account at one vendor, dialled by one process at a time.
CREATE TABLE lanes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,                         -- the vendor
    settings TEXT NOT NULL,                     -- JSON: limits, hours, zone; an owner's file must say the same
    state TEXT NOT NULL CHECK (state IN ('open', 'paused')),
    reason TEXT,                                -- why it is paused
    changed_at INTEGER NOT NULL,
    backoff_until INTEGER NOT NULL DEFAULT 0,   -- nothing is planned before this moment
    backoff_reason TEXT,
    consecutive_failures INTEGER NOT NULL DEFAULT 0,  -- requests in a row that failed without a refusal
    usual_call_ms INTEGER,                      -- 99 of 100 calls are over by then; null: too few are known
    epoch INTEGER NOT NULL DEFAULT 0,           -- grows whenever the lane changes hands
    owner TEXT,                                 -- the process that dials it
    last_owner TEXT,                            -- the process that dialled it last, until lease_until
    lease_until INTEGER NOT NULL DEFAULT 0,
    -- JSON: what the last owner had used of the limits; null: nobody knows, so all of it
    limit_usage TEXT,
    -- Until then an owner dialled that did not say what it had used of the limits; 0: everything is known
    unsaid_until INTEGER NOT NULL DEFAULT 0,
    -- JSON: keys of different numbers that the vendor refused for now, one after the other; null: the last call was not refused
    refused_for_now TEXT,
    -- JSON: how much of its limits is used, and which one its calls wait for; null: its owner has not said
    limit_levels TEXT
) STRICT;

-- How many calls a lane made on a day.
CREATE TABLE lane_days (
    lane_id INTEGER NOT NULL REFERENCES lanes (id),
    day TEXT NOT NULL,                          -- a date on the lane's own calendar
    calls INTEGER NOT NULL CHECK (calls >= 0),
    PRIMARY KEY (lane_id, day)
) STRICT, WITHOUT ROWID;

-- A campaign as it was applied.
CREATE TABLE campaigns (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    lane_id INTEGER NOT NULL REFERENCES lanes (id),
    state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'cancelled')),
    paused_by TEXT CHECK (paused_by IN ('person', 'safety', 'draft')),
    reason TEXT,                                -- why it is paused or cancelled
    priority INTEGER NOT NULL,                  -- the lowest is dialled first
    revision INTEGER NOT NULL,                  -- grows with every change of the rules or the state
    rules TEXT NOT NULL,                        -- JSON: the rules
    -- the revision that brought other limits, until all whom the old ones put off are due
    uncap INTEGER,
    run_id INTEGER,                             -- the current run
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK ((state = 'paused') = (paused_by IS NOT NULL))
) STRICT;

-- When campaigns begin by themselves. The next moment is a row, so that no restart forgets it and no two processes take it.
CREATE TABLE schedules (
    campaign_id INTEGER PRIMARY KEY REFERENCES campaigns (id),
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    next_at INTEGER,                            -- null: no more to come
    worker TEXT,                                -- the process that works at the moment
    worker_until INTEGER NOT NULL DEFAULT 0,
    last_at INTEGER,                            -- the moment that was worked at last
    last_result TEXT,                           -- what came of it
    last_failed INTEGER NOT NULL DEFAULT 0 CHECK (last_failed IN (0, 1))  -- it could not be done
) STRICT;

-- A run: everybody in it is to be reached once.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    number INTEGER NOT NULL,                    -- of the campaign's runs, counted from 1
    -- what a fresh run was asked for by; the same key begins no other
    key TEXT,
    ready INTEGER NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)),  -- its first import is complete
    started_at INTEGER NOT NULL,
    last_dial_at INTEGER,
    finished_at INTEGER,                        -- when its last contact was finished, once that was told
    -- nobody in it goes back to waiting, for this reason
    closed_for TEXT CHECK (closed_for IN (
        'attempts_used', 'dnc', 'invalid_number', 'missing', 'superseded', 'campaign_ended', 'cancelled', 'by_hand', 'import_undone')),
    outcome_window TEXT NOT NULL DEFAULT '',    -- how its last calls ended, oldest first: x failed, o did not
    leader TEXT,                                -- the `run` command that works for it
    leader_until INTEGER NOT NULL DEFAULT 0,
    told_stalled INTEGER NOT NULL DEFAULT 0 CHECK (told_stalled IN (0, 1)),  -- that nobody is dialled was told
    erased_at INTEGER,                        -- since then its people are being erased; counts stay
    erased INTEGER NOT NULL DEFAULT 0 CHECK (erased IN (0, 1)),  -- all of them are
    UNIQUE (campaign_id, number),
    UNIQUE (campaign_id, key)
) STRICT;

-- Counts by name, kept in the transactions that change what they count: contact:waiting, attempt:placed, …
CREATE TABLE run_counts (
    run_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    -- Transactions that would wait for one another count in different ones; a count is their sum.
    part INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (run_id, name, part)
) STRICT, WITHOUT ROWID;

-- Calls that ended, by the hour in which they were sent, kept likewise.
CREATE TABLE run_hours (
    run_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,                      -- hours since 1970-01-01T00:00Z
    calls INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    PRIMARY KEY (run_id, hour)
) STRICT, WITHOUT ROWID;

-- Waiting contacts of one run that share zones and a dial class. A window that opens changes buckets, not contacts.
CREATE TABLE buckets (
    id INTEGER PRIMARY KEY,
    lane_id INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    zones TEXT NOT NULL,                        -- names of time zones, joined by |
    class TEXT NOT NULL CHECK (class IN ('callback', 'retry', 'capped', 'first')),  -- why they are due
    import_id INTEGER NOT NULL,                 -- 0 for contacts that were called before, and for canaries
    staged INTEGER NOT NULL DEFAULT 0 CHECK (staged IN (0, 1)),  -- its import is not released
    priority INTEGER NOT NULL,                  -- as its campaign's
    waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),  -- how many
    next_due_at INTEGER NOT NULL,               -- no contact of it is due earlier
    next_contact INTEGER NOT NULL DEFAULT 0,    -- and none of those who are due then has a lower id
    eligible_at INTEGER NOT NULL,               -- the later of next_due_at and the next opening
    UNIQUE (run_id, zones, class, import_id)
) STRICT;
CREATE INDEX buckets_eligible ON buckets (lane_id, eligible_at);

-- A contact file that was read into a run.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    source TEXT NOT NULL,                       -- where it came from, for people
    digest TEXT NOT NULL,                       -- SHA-256 of the file and of how it is read
    columns TEXT NOT NULL DEFAULT '[]',         -- JSON: the header
    state TEXT NOT NULL CHECK (state IN ('loading', 'held', 'canary', 'complete', 'undone')),
    rows INTEGER NOT NULL DEFAULT 0,            -- the sum of the next five; while it loads, those read so far
    accepted INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    -- contacts that were stopped because the file does not have them
    missing INTEGER NOT NULL DEFAULT 0,
    -- its contacts after this one, so many, have no numbers in number_owners yet
    owned_to INTEGER NOT NULL DEFAULT 0,
    unowned INTEGER NOT NULL DEFAULT 0,
    held_for TEXT,                              -- the safety rail that holds or held it
    started_at INTEGER NOT NULL,
    accepted_at INTEGER,                        -- a person accepted what the rail said
    completed_at INTEGER,                       -- all of it was in
    released_at INTEGER,                        -- since then all of its contacts may be dialled
    undone_at INTEGER,
    UNIQUE (run_id, digest),
    CHECK (state <> 'held' OR held_for IS NOT NULL),
    CHECK (state NOT IN ('canary', 'complete') OR completed_at IS NOT NULL),
    CHECK (state NOT IN ('held', 'canary', 'complete') OR unowned = 0),
    CHECK (state <> 'complete' OR released_at IS NOT NULL),
    CHECK ((state = 'undone') = (undone_at IS NOT NULL))
) STRICT;

-- Rows of a file that were not taken in.
CREATE TABLE rejects (
    import_id INTEGER NOT NULL REFERENCES imports (id),
    row_number INTEGER NOT NULL,                -- counted from 1, without the header
    line INTEGER NOT NULL,                      -- of the file, counted from 1
    code TEXT NOT NULL,                         -- the kind of reason
    reason TEXT NOT NULL,
    record TEXT NOT NULL,                       -- JSON: the row's values
    PRIMARY KEY (import_id, row_number)
) STRICT, WITHOUT ROWID;

-- Rows of a file whose contact was known before. New data waits in `change` until the import is released.
CREATE TABLE import_matches (
    import_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    -- 0 for a row that was not taken in and yet shows that the person is in the file
    row_number INTEGER NOT NULL,
    line INTEGER NOT NULL,
    change TEXT,                                -- JSON: what is new of the contact
    change_bytes INTEGER NOT NULL,              -- of `change` as text; 0 without one
    PRIMARY KEY (import_id, contact_id)
) STRICT, WITHOUT ROWID;

-- Contacts that are dialled first; the rest of their import waits for them.
CREATE TABLE canaries (
    import_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (import_id, contact_id)
) STRICT, WITHOUT ROWID;

-- A person of a run.
CREATE TABLE contacts (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    bucket_id INTEGER NOT NULL,                 -- where it waits, or waited last
    import_id INTEGER NOT NULL,
    row_number INTEGER NOT NULL,                -- of the file, counted from 1, without the header
    line INTEGER NOT NULL,                      -- of the file, counted from 1
    external_id TEXT,                           -- what the operator's own system calls the person
    number TEXT NOT NULL,                       -- E.164: the number to be dialled next
    number_key INTEGER NOT NULL,                -- its keyed hash
    -- all of them stand in contact_numbers
    has_multiple_numbers INTEGER NOT NULL DEFAULT 0 CHECK (has_multiple_numbers IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'done', 'stopped', 'review')),
    due_at INTEGER NOT NULL,                    -- the earliest moment by delay and caps; never a window
    calls INTEGER NOT NULL DEFAULT 0,           -- counted calls in this run
    outcome_counts TEXT NOT NULL DEFAULT '{}',  -- JSON: calls by outcome
    stop_reason TEXT CHECK (stop_reason IN (
        'attempts_used', 'dnc', 'invalid_number', 'missing', 'superseded', 'campaign_ended', 'cancelled', 'by_hand', 'import_undone')),
    -- it does not go back to waiting, for this reason
    pending_stop_reason TEXT CHECK (pending_stop_reason IN (
        'attempts_used', 'dnc', 'invalid_number', 'missing', 'superseded', 'campaign_ended', 'cancelled', 'by_hand', 'import_undone')),
    last_outcome TEXT CHECK (last_outcome IN (
        'answered', 'voicemail', 'busy', 'no_answer', 'rejected', 'unreachable', 'invalid_number', 'failed', 'not_dialled', 'unknown')),
    last_attempt INTEGER,
    reached INTEGER NOT NULL DEFAULT 0 CHECK (reached IN (0, 1)),  -- a call ended as the campaign wants
    finished_at INTEGER,
    change_number INTEGER NOT NULL,             -- of the transaction that changed it last: see the view of this name
    fields TEXT NOT NULL,                       -- JSON: the row as it stood in the file
    CHECK ((state = 'stopped') = (stop_reason IS NOT NULL)),
    CHECK ((state IN ('done', 'stopped')) = (finished_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX contacts_external_id ON contacts (external_id, run_id) WHERE external_id IS NOT NULL;
CREATE INDEX contacts_changes ON contacts (run_id, change_number, id);
-- Lists of contacts, page by page.
CREATE INDEX contacts_state ON contacts (run_id, state, id);
CREATE INDEX contacts_outcome ON contacts (run_id, last_outcome, id) WHERE last_outcome IS NOT NULL;
CREATE INDEX contacts_due ON contacts (bucket_id, due_at, id) WHERE state = 'waiting';
-- Whoever has a call of unknown fate is not dialled in a fresh run.
CREATE INDEX contacts_in_review ON contacts (number_key) WHERE state = 'review';

-- Whose each number is: no two people of a run have the same. Those of a large file come in the order of their keys,
-- many at a time, after their contacts: see imports.unowned.
CREATE TABLE number_owners (
    number_key INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (number_key, run_id)
) STRICT, WITHOUT ROWID;

-- All numbers of contacts that have several; the one to dial next stands in contacts.
CREATE TABLE contact_numbers (
    contact_id INTEGER NOT NULL,
    position INTEGER NOT NULL,                  -- in the order of the columns
    number_key INTEGER NOT NULL,
    number TEXT NOT NULL,
    invalid INTEGER NOT NULL DEFAULT 0 CHECK (invalid IN (0, 1)),  -- the vendor says that it does not exist
    PRIMARY KEY (contact_id, position)
) STRICT, WITHOUT ROWID;

-- One planned call. At most one request is ever made for it.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL,                    -- what we call it towards the vendor
    contact_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    lane_id INTEGER NOT NULL,
    number TEXT,                                -- the number that was called; null before the claim
    number_key INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'open', 'sending', 'placed', 'ended', 'lapsed', 'not_sent', 'refused', 'unknown', 'not_placed')),
    live INTEGER NOT NULL CHECK (live IN (0, 1)),  -- it holds its contact and its number
    class TEXT NOT NULL CHECK (class IN ('callback', 'retry', 'capped', 'first')),  -- why the contact was due
    epoch INTEGER NOT NULL,                     -- of the lane when it was opened
    revision INTEGER NOT NULL,                  -- of the campaign when it was opened
    opened_at INTEGER NOT NULL,
    dial_after INTEGER NOT NULL,
    dial_before INTEGER NOT NULL,
    sending_at INTEGER,                         -- the claim
    placed_at INTEGER,                          -- the vendor's answer
    ended_at INTEGER,
    overdue_at INTEGER,                         -- without news by then, its number is free again
    -- its slot is free then; null: the vendor said nothing, and the usual time decides
    slot_until INTEGER,
    call_id TEXT,                               -- the vendor's name for the call
    caller_id TEXT,
    cause TEXT,                                 -- why it was not sent, refused, or is unknown
    change_number INTEGER NOT NULL,             -- as of a contact
    -- The same while it lives, and without an index: a change of a live attempt then costs little.
    live_change INTEGER,
    outcome TEXT CHECK (outcome IN (
        'answered', 'voicemail', 'busy', 'no_answer', 'rejected', 'unreachable', 'invalid_number', 'failed', 'not_dialled', 'unknown')),
    -- the callee declined, or said no as the campaign defines that
    refusal INTEGER NOT NULL DEFAULT 0 CHECK (refusal IN (0, 1)),
    vendor_status TEXT,                         -- the vendor's own word
    talk_seconds INTEGER,
    cost_micros INTEGER,                        -- millionths of the currency
    currency TEXT,
    outputs TEXT,                               -- JSON: what the agent collected
    recording_url TEXT,
    recording_expires_at INTEGER,
    transcript_url TEXT,
    transcript_expires_at INTEGER,
    CHECK (live = (state IN ('open', 'sending', 'placed', 'unknown'))),
    CHECK ((state = 'ended') = (outcome IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (state IN ('open', 'lapsed') OR sending_at IS NOT NULL),
    CHECK (state <> 'placed' OR call_id IS NOT NULL)
) STRICT;
-- The law of one live attempt for each contact and each number.
CREATE UNIQUE INDEX attempts_live_contact ON attempts (contact_id) WHERE live;
CREATE UNIQUE INDEX attempts_live_number ON attempts (number_key) WHERE live;
CREATE INDEX attempts_live_lane ON attempts (lane_id, id) WHERE live;
-- Lists of attempts, page by page.
CREATE INDEX attempts_run ON attempts (run_id, id);
CREATE INDEX attempts_changes ON attempts (run_id, change_number, id);
CREATE INDEX attempts_number ON attempts (number_key, opened_at);

-- The calls that attempts have: no two have the same one.
CREATE TABLE calls (
    lane_id INTEGER NOT NULL,
    call_id TEXT NOT NULL,                      -- as in attempts
    attempt_id INTEGER NOT NULL,
    PRIMARY KEY (call_id, lane_id)
) WITHOUT ROWID, STRICT;

-- What vendors report of calls by themselves. A report proves nothing: it is a reason to ask.
CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    lane_id INTEGER NOT NULL,
    reference TEXT,                             -- of the attempt whose own address it came to
    digest TEXT NOT NULL,                       -- the same report again is not another one
    body TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    read_at INTEGER,
    call_id TEXT,                               -- the call that it speaks of, once it was read
    used_at INTEGER,                            -- since then its call is asked about, or was
    UNIQUE (lane_id, digest)
) STRICT;
CREATE INDEX reports_unread ON reports (lane_id, id) WHERE read_at IS NULL;
CREATE INDEX reports_call ON reports (lane_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX reports_reference ON reports (lane_id, reference) WHERE reference IS NOT NULL;
CREATE INDEX reports_received ON reports (received_at);

-- The do-not-call list comes in lists of one source, so that what ten million numbers have in common is kept once.
CREATE TABLE dnc_lists (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL,               -- 0: nobody calls these numbers
    source TEXT,
    reason TEXT,
    added_at INTEGER NOT NULL
) STRICT;

-- Numbers that must not be called. The 0 for everybody stands in a key, which cannot hold null.
CREATE TABLE dnc (
    number_key INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,               -- as in its list
    list_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    PRIMARY KEY (number_key, campaign_id)
) STRICT, WITHOUT ROWID;

-- What shows that this database is the one that it was.
CREATE TABLE witness (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    commits INTEGER NOT NULL DEFAULT 0,         -- SQLite: grows in every transaction that writes
    -- Postgres: server, timeline and database when it was last trusted
    place TEXT,
    -- Postgres: the transaction that wrote this row; a restored row has another one
    written_by INTEGER
) STRICT;
INSERT INTO witness (only_row) VALUES (1);

-- Numbers of transactions, by which clients ask for what changed since. A row has that of the transaction that
-- changed it last; nothing with a lower number than the horizon can still appear.
CREATE VIEW change_number AS SELECT change_base + commits AS n FROM witness CROSS JOIN installation;
CREATE VIEW change_horizon AS SELECT change_base + commits AS n FROM witness CROSS JOIN installation;

-- The newest time zone data that ever dialled on this database: a process with older data dials nobody.
CREATE TABLE zone_data (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version TEXT NOT NULL,                      -- a release of the IANA database, as in 2026f
    since INTEGER NOT NULL                          -- when it first dialled here
) STRICT;

-- Nobody is dialled while one of these is not lifted.
CREATE TABLE quarantines (
    id INTEGER PRIMARY KEY,
    noticed_at INTEGER NOT NULL,
    cause TEXT NOT NULL,                        -- what was noticed, for people
    -- calls from this moment on may be missing here; null: nobody knows
    since INTEGER,
    replaces TEXT,                              -- the installation that dialled before, when it was another one
    lifted_at INTEGER,
    lifted_by TEXT,                             -- user and machine
    reason TEXT,                                -- why it was lifted
    CHECK ((lifted_at IS NULL) = (reason IS NULL))
) STRICT;
CREATE UNIQUE INDEX quarantines_open ON quarantines ((lifted_at IS NULL)) WHERE lifted_at IS NULL;

-- What each vendor was asked meanwhile, and what came of it.
CREATE TABLE quarantine_lanes (
    quarantine_id INTEGER NOT NULL REFERENCES quarantines (id),
    lane TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    listed INTEGER,                             -- calls that the vendor knows; null: it has no list
    known INTEGER NOT NULL DEFAULT 0,           -- of these: the database has them
    -- of these: entered as calls of our contacts, over all questions
    adopted INTEGER NOT NULL DEFAULT 0,
    -- of these: can be entered when an earlier call of the number is settled
    waiting INTEGER NOT NULL DEFAULT 0,
    strange INTEGER NOT NULL DEFAULT 0,         -- of these: no contact fits
    trouble TEXT,                               -- why the question was not answered
    PRIMARY KEY (quarantine_id, lane)
) STRICT, WITHOUT ROWID;

-- The processes that dial, or stand by, with their signs of life.
CREATE TABLE processes (
    name TEXT PRIMARY KEY,                      -- as in lanes.owner
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,                      -- of the program
    command TEXT NOT NULL CHECK (command IN ('serve', 'run', 'test-call')),
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,                       -- its last sign of life
    ended_at INTEGER,                               -- it left in good order
    takes TEXT                                  -- lanes that it dials and shares with others, with their settings
) STRICT;

-- Who may ask over HTTP, and for what.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,                         -- what people know it by
    scope TEXT NOT NULL CHECK (scope IN ('viewer', 'operator', 'admin')),
    digest TEXT NOT NULL UNIQUE,                -- SHA-256 of the token, which itself is kept nowhere
    shown TEXT NOT NULL,                        -- its first letters
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,                   -- user and machine, or token
    expires_at INTEGER,                         -- it does not hold from then on
    revoked_at INTEGER                          -- it does not hold since then
) STRICT;

-- Codes that each log one browser in, once.
CREATE TABLE login_codes (
    digest TEXT PRIMARY KEY,                    -- SHA-256 of the code, which itself is kept nowhere
    name TEXT NOT NULL,                         -- who asked for it
    scope TEXT NOT NULL CHECK (scope IN ('viewer', 'operator', 'admin')),
    expires_at INTEGER NOT NULL
) STRICT;

-- Browsers that are logged in.
CREATE TABLE logins (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,                -- SHA-256 of the cookie, which itself is kept nowhere
    name TEXT NOT NULL,                         -- of the token, or who asked for the code
    scope TEXT NOT NULL CHECK (scope IN ('viewer', 'operator', 'admin')),
    token_id INTEGER REFERENCES tokens (id),    -- it ends with this token; null: it began with a code
    begun_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,                   -- its last request, to the minute
    ends_at INTEGER NOT NULL
) STRICT;

-- Requests that came with an Idempotency-Key: the same key does the work once, and gets the same answer.
CREATE TABLE idempotency_keys (
    id INTEGER PRIMARY KEY,
    token_id INTEGER NOT NULL REFERENCES tokens (id),
    key TEXT NOT NULL,
    digest TEXT NOT NULL,                       -- SHA-256 of method, address and body
    begun_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,               -- until then the work may be under way
    worker TEXT NOT NULL,                       -- the process that works at it
    has_effect INTEGER NOT NULL DEFAULT 0 CHECK (has_effect IN (0, 1)),  -- its first change, and this with it, is written
    status INTEGER,                             -- of the answer; null: there is none yet
    content_type TEXT,                          -- of the answer
    etag TEXT,                                  -- of the answer
    location TEXT,                              -- of the answer
    body TEXT,                                  -- of the answer
    UNIQUE (token_id, key)
) STRICT;
CREATE INDEX idempotency_keys_begun ON idempotency_keys (begun_at);

-- Who is told what happens: the receivers of the configurations, by their address.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    after_event INTEGER NOT NULL,               -- events up to this one are queued, or are not for it
    disabled_at INTEGER,                        -- it gets nothing since then
    reason TEXT,                                -- why it is disabled
    failures INTEGER NOT NULL DEFAULT 0,        -- in a row
    worker TEXT,                                -- the process that sends to it
    worker_until INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Messages on their way to one receiver. What was delivered is kept for a while, for who asks.
CREATE TABLE webhook_messages (
    id INTEGER PRIMARY KEY,
    webhook_id INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    kind TEXT NOT NULL,                         -- of the event
    body TEXT NOT NULL,                         -- as it is sent, each time the same
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,                    -- when it is sent, or was sent last
    answer TEXT,                                -- of the receiver, or what went wrong
    UNIQUE (event_id, webhook_id)
) STRICT;
CREATE INDEX webhook_messages_due ON webhook_messages (webhook_id, due_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_messages_dead ON webhook_messages (webhook_id) WHERE state = 'dead';
CREATE INDEX webhook_messages_over ON webhook_messages (state, due_at);

-- What happened, each written in the transaction that makes it happen, and visible in the order of the ids.
-- Changes of state are kept for good; what happened in single calls is kept for a day, for those who are told of it.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,                         -- what happened
    campaign TEXT,                              -- the names that its subjects had then
    lane TEXT,
    run_id INTEGER,
    contact_id INTEGER,                          -- of a call: whom it was to reach
    attempt_id INTEGER,                         -- of a call
    of_call INTEGER NOT NULL DEFAULT 0 CHECK (of_call IN (0, 1)),  -- it tells of one call
    who TEXT NOT NULL,                          -- user and machine, token, or process
    origin TEXT,                                -- where a person asked for it; null: a process did it by itself
    cause TEXT,
    before TEXT,                                -- JSON: what it changed, as it was
    after TEXT                                  -- JSON: the same, as it is since then
) STRICT;
-- Without calls, of which there are far more.
CREATE INDEX events_changes ON events (id) WHERE NOT of_call;
CREATE INDEX events_campaign ON events (campaign, id) WHERE campaign IS NOT NULL AND NOT of_call;
CREATE INDEX events_lane ON events (lane, id) WHERE lane IS NOT NULL AND NOT of_call;
CREATE INDEX events_at ON events (at) WHERE NOT of_call;
CREATE INDEX events_calls ON events (at) WHERE of_call;

-- What has ended does not change, and nothing moves where the state diagrams have no arrow.
-- Who tries it loses the whole transaction: to take back a statement alone, SQLite would keep in
-- memory all that it changes.

CREATE TRIGGER attempts_begin_open BEFORE INSERT ON attempts
WHEN NEW.state <> 'open'
BEGIN
    SELECT RAISE(ROLLBACK, 'an attempt begins open');
END;

CREATE TRIGGER attempts_legal_transition BEFORE UPDATE OF state, live, outcome, call_id, sending_at, ended_at ON attempts
WHEN NOT (
    (OLD.state = NEW.state AND OLD.live AND OLD.sending_at IS NEW.sending_at)
    OR (OLD.state || '>' || NEW.state) IN (
        'open>sending', 'open>lapsed',
        'sending>placed', 'sending>not_sent', 'sending>refused', 'sending>unknown',
        'placed>ended',
        'unknown>placed', 'unknown>not_placed', 'unknown>ended'))
BEGIN
    SELECT RAISE(ROLLBACK, 'illegal transition of an attempt');
END;

-- Whoever was stopped because an import was undone was never called: another import may bring them again.
CREATE TRIGGER contacts_legal_transition BEFORE UPDATE OF state ON contacts
WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'waiting>active', 'waiting>stopped',
    'active>waiting', 'active>done', 'active>stopped', 'active>review',
    'review>waiting', 'review>active', 'review>done', 'review>stopped')
    AND NOT (OLD.state = 'stopped' AND NEW.state = 'waiting' AND OLD.stop_reason = 'import_undone' AND OLD.calls = 0)
BEGIN
    SELECT RAISE(ROLLBACK, 'illegal transition of a contact');
END;

CREATE TRIGGER imports_begin_loading BEFORE INSERT ON imports
WHEN NEW.state <> 'loading'
BEGIN
    SELECT RAISE(ROLLBACK, 'an import begins loading');
END;

CREATE TRIGGER imports_legal_transition BEFORE UPDATE OF state ON imports
WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'loading>held', 'loading>canary', 'loading>undone',
    'held>canary', 'held>undone',
    'canary>complete', 'canary>undone',
    'complete>undone')
BEGIN
    SELECT RAISE(ROLLBACK, 'illegal transition of an import');
END;
