-- How long a call of the lane usually takes, and how long an attempt holds its slot by what the vendor said of it.
ALTER TABLE lanes ADD COLUMN usual_call_ms BIGINT;     -- all but one of a hundred are over by then; null: nobody knows
ALTER TABLE attempts ADD COLUMN slot_until BIGINT;     -- null: the vendor said nothing, and the usual time decides
