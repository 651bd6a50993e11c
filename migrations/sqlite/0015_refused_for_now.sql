-- Whom the vendor refused for now, one after the other: one number's refusals rest the lane for seconds only.
ALTER TABLE lanes ADD COLUMN refused_for_now TEXT;      -- JSON: keys of different numbers; null: the last call was not refused
