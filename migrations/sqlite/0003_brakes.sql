-- What holds dialling on purpose: a stop of everything, a pause on someone's word, a run that is closed.

ALTER TABLE installation ADD COLUMN stopped_at INTEGER;            -- everything is stopped since then
ALTER TABLE installation ADD COLUMN stop_reason TEXT;

ALTER TABLE campaigns ADD COLUMN paused_by TEXT CHECK (paused_by IN ('person', 'safety', 'draft'));
UPDATE campaigns SET paused_by = 'person' WHERE state = 'paused';

ALTER TABLE runs ADD COLUMN closed_for TEXT;                   -- its contacts do not wait any more, for this reason
ALTER TABLE runs ADD COLUMN recent TEXT NOT NULL DEFAULT '';   -- how its last calls ended, oldest first: x failed, o not

-- Whoever has a call of unknown fate is not dialled in a fresh run.
CREATE INDEX contacts_in_review ON contacts (number_key) WHERE state = 'review';
