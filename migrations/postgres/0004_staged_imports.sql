-- Contacts of a file are dialled once all of it is in, a canary first, and several numbers a person.

ALTER TABLE buckets ADD COLUMN import_id BIGINT NOT NULL DEFAULT 0;        -- 0 for contacts that were dialled before
ALTER TABLE buckets ADD COLUMN staged BOOLEAN NOT NULL DEFAULT FALSE;      -- its import is not released
ALTER TABLE buckets DROP CONSTRAINT buckets_run_id_zones_class_key;
ALTER TABLE buckets ADD CONSTRAINT buckets_key UNIQUE (run_id, zones, class, import_id);

ALTER TABLE imports ADD COLUMN missing BIGINT NOT NULL DEFAULT 0;   -- contacts stopped because the file no longer has them
ALTER TABLE imports ADD COLUMN held_for TEXT;                        -- the safety rail that holds it
ALTER TABLE imports ADD COLUMN accepted_at BIGINT;                  -- a person accepted what the rail said
ALTER TABLE imports ADD COLUMN released_at BIGINT;                  -- since then all of its contacts may be dialled
ALTER TABLE imports ADD COLUMN undone_at BIGINT;
ALTER TABLE imports ADD COLUMN columns TEXT NOT NULL DEFAULT '[]';   -- JSON: the header
UPDATE imports SET released_at = completed_at;

ALTER TABLE rejects ADD COLUMN code TEXT NOT NULL DEFAULT 'other';   -- the kind of reason
ALTER TABLE rejects ADD COLUMN record TEXT NOT NULL DEFAULT '[]';    -- JSON: the row's values

-- Rows of a file whose contact was known before. New data waits in `change` until the import is released. A row that was not taken
-- in and yet shows that the person is in the file has row_number 0.
CREATE TABLE import_matches (
    import_id  BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    line       BIGINT NOT NULL,
    change     TEXT,                            -- JSON: what is new of the contact
    PRIMARY KEY (import_id, contact_id)
);

-- Contacts that are dialled first; the rest of their import waits for them.
CREATE TABLE canaries (
    import_id  BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    PRIMARY KEY (import_id, contact_id)
);

ALTER TABLE contacts ADD COLUMN line BIGINT NOT NULL DEFAULT 0;     -- of the file, counted from 1
ALTER TABLE contacts ADD COLUMN external_id TEXT;                    -- what the operator's own system calls the person
ALTER TABLE contacts ADD COLUMN several BOOLEAN NOT NULL DEFAULT FALSE;  -- has numbers in contact_numbers
ALTER TABLE contacts ADD COLUMN leave_for TEXT;                      -- it does not go back to waiting, for this reason
CREATE UNIQUE INDEX contacts_external_id ON contacts (run_id, external_id) WHERE external_id IS NOT NULL;

-- All numbers of contacts that have several; the one to dial next stands in contacts.
CREATE TABLE contact_numbers (
    run_id     BIGINT NOT NULL,
    number_key BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    place      BIGINT NOT NULL,                -- in the order of the columns
    number     TEXT    NOT NULL,
    dead       BOOLEAN NOT NULL DEFAULT FALSE,  -- it does not exist
    PRIMARY KEY (run_id, number_key)
);
CREATE INDEX contact_numbers_contact ON contact_numbers (contact_id, place);

-- Which number was called stays known when the contact gets another one.
ALTER TABLE attempts ADD COLUMN number TEXT;

-- Whoever was stopped because an import was undone was never called: another import may bring them again.
DROP TRIGGER contacts_legal_transition ON contacts;
CREATE TRIGGER contacts_legal_transition BEFORE UPDATE OF state ON contacts
FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'waiting>active', 'waiting>stopped',
    'active>waiting', 'active>done', 'active>stopped', 'active>review',
    'review>waiting', 'review>active', 'review>done', 'review>stopped')
    AND NOT (OLD.state = 'stopped' AND NEW.state = 'waiting' AND OLD.stop_reason = 'import_undone' AND OLD.calls = 0))
EXECUTE FUNCTION refuse_transition('illegal transition of a contact');
