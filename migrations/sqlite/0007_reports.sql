-- What vendors report of calls by themselves. A report proves nothing: it is a reason to ask.
CREATE TABLE reports (
    id          INTEGER PRIMARY KEY,
    lane_id     INTEGER NOT NULL,
    reference   TEXT,                           -- of the attempt whose own address it came to
    digest      TEXT    NOT NULL,               -- the same report again is not another one
    body        TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    read_at     INTEGER,
    call_id     TEXT,                           -- the call that it speaks of, once it was read
    used_at     INTEGER,                        -- since then its call is asked about, or was
    UNIQUE (lane_id, digest)
);
CREATE INDEX reports_unread ON reports (lane_id, id) WHERE read_at IS NULL;
CREATE INDEX reports_call ON reports (lane_id, call_id) WHERE used_at IS NULL;
CREATE INDEX reports_reference ON reports (lane_id, reference) WHERE reference IS NOT NULL;
CREATE INDEX reports_received ON reports (received_at);

-- What addresses for reports are made with: 32 hex digits.
ALTER TABLE installation ADD COLUMN report_key TEXT;
