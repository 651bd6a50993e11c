-- Contacts of a file are dialled once all of it is in, a canary first, and several numbers a person.

CREATE TABLE new_buckets (
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
    import_id   INTEGER NOT NULL DEFAULT 0,     -- 0 for contacts that were dialled before
    staged      BOOLEAN NOT NULL DEFAULT FALSE, -- its import is not released
    UNIQUE (run_id, zones, class, import_id)
);
INSERT INTO new_buckets (id, lane_id, campaign_id, run_id, zones, class, priority, waiting, head_due, eligible_at)
SELECT id, lane_id, campaign_id, run_id, zones, class, priority, waiting, head_due, eligible_at FROM buckets;
DROP TABLE buckets;
ALTER TABLE new_buckets RENAME TO buckets;
CREATE INDEX buckets_eligible ON buckets (lane_id, eligible_at);

ALTER TABLE imports ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;   -- contacts stopped because the file no longer has them
ALTER TABLE imports ADD COLUMN held_for TEXT;                        -- the safety rail that holds it
ALTER TABLE imports ADD COLUMN accepted_at INTEGER;                  -- a person accepted what the rail said
ALTER TABLE imports ADD COLUMN released_at INTEGER;                  -- since then all of its contacts may be dialled
ALTER TABLE imports ADD COLUMN undone_at INTEGER;
ALTER TABLE imports ADD COLUMN columns TEXT NOT NULL DEFAULT '[]';   -- JSON: the header
UPDATE imports SET released_at = completed_at;

ALTER TABLE rejects ADD COLUMN code TEXT NOT NULL DEFAULT 'other';   -- the kind of reason
ALTER TABLE rejects ADD COLUMN record TEXT NOT NULL DEFAULT '[]';    -- JSON: the row's values

-- Rows of a file whose contact was known before. New data waits in `change` until the import is released. A row that was not taken
-- in and yet shows that the person is in the file has row_number 0.
CREATE TABLE import_matches (
    import_id  INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    row_number INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    change     TEXT,                            -- JSON: what is new of the contact
    PRIMARY KEY (import_id, contact_id)
) WITHOUT ROWID;

-- Contacts that are dialled first; the rest of their import waits for them.
CREATE TABLE canaries (
    import_id  INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    PRIMARY KEY (import_id, contact_id)
) WITHOUT ROWID;

ALTER TABLE contacts ADD COLUMN line INTEGER NOT NULL DEFAULT 0;     -- of the file, counted from 1
ALTER TABLE contacts ADD COLUMN external_id TEXT;                    -- what the operator's own system calls the person
ALTER TABLE contacts ADD COLUMN several BOOLEAN NOT NULL DEFAULT FALSE;  -- has numbers in contact_numbers
ALTER TABLE contacts ADD COLUMN leave_for TEXT;                      -- it does not go back to waiting, for this reason
CREATE UNIQUE INDEX contacts_external_id ON contacts (run_id, external_id) WHERE external_id IS NOT NULL;

-- All numbers of contacts that have several; the one to dial next stands in contacts.
CREATE TABLE contact_numbers (
    run_id     INTEGER NOT NULL,
    number_key INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    place      INTEGER NOT NULL,                -- in the order of the columns
    number     TEXT    NOT NULL,
    dead       BOOLEAN NOT NULL DEFAULT FALSE,  -- it does not exist
    PRIMARY KEY (run_id, number_key)
) WITHOUT ROWID;
CREATE INDEX contact_numbers_contact ON contact_numbers (contact_id, place);

-- Which number was called stays known when the contact gets another one.
ALTER TABLE attempts ADD COLUMN number TEXT;

-- Whoever was stopped because an import was undone was never called: another import may bring them again.
DROP TRIGGER contacts_legal_transition;
CREATE TRIGGER contacts_legal_transition BEFORE UPDATE OF state ON contacts
WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'waiting>active', 'waiting>stopped',
    'active>waiting', 'active>done', 'active>stopped', 'active>review',
    'review>waiting', 'review>active', 'review>done', 'review>stopped')
    AND NOT (OLD.state = 'stopped' AND NEW.state = 'waiting' AND OLD.stop_reason = 'import_undone' AND OLD.calls = 0)
BEGIN
    SELECT RAISE(ABORT, 'illegal transition of a contact');
END;
