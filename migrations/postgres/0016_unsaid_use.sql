-- Until when a lane's limits may have been used by an owner that did not say how much of them it had used.
ALTER TABLE lanes ADD COLUMN unsaid_until BIGINT NOT NULL DEFAULT 0;   -- Unix milliseconds; 0: everything is known
