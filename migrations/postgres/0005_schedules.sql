-- When campaigns begin by themselves. The next moment is a row, so that no restart forgets it and no two processes take it.
CREATE TABLE schedules (
    campaign_id  BIGINT PRIMARY KEY REFERENCES campaigns (id),
    cron         TEXT    NOT NULL,
    zone         TEXT    NOT NULL,
    next_at      BIGINT,                       -- none: no more to come
    worker       TEXT,                          -- the process that works at the moment
    worker_until BIGINT NOT NULL DEFAULT 0,
    last_at      BIGINT,                       -- the moment that was worked at last
    last_result  TEXT                           -- what came of it
);
