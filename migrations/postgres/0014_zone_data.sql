-- The newest time zone data that ever dialled on this database: a process with older data dials nobody.

CREATE TABLE zone_data (
    only_row    SMALLINT PRIMARY KEY CHECK (only_row = 1),
    version     TEXT NOT NULL,                -- a release of the IANA database, as in 2026f
    since       BIGINT NOT NULL               -- when it first dialled here
);
