-- Rules about a number that hold over all campaigns: who said no, and who must not be called.

-- The callee declined the call, or said no in it as the campaign defines that.
ALTER TABLE attempts ADD COLUMN refusal BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE attempts SET refusal = TRUE WHERE outcome = 'rejected';

-- Numbers come in lists of one source, so that what ten million of them have in common is kept once.
CREATE TABLE dnc_lists (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id BIGINT  NOT NULL,               -- 0: nobody calls these numbers
    source      TEXT,
    reason      TEXT,
    added_at    BIGINT  NOT NULL
);

ALTER TABLE dnc RENAME TO dnc_before;
CREATE TABLE dnc (
    number_key  BIGINT  NOT NULL,
    campaign_id BIGINT  NOT NULL,               -- as in its list
    list_id     BIGINT  NOT NULL,
    number      TEXT    NOT NULL,
    PRIMARY KEY (number_key, campaign_id)
);
INSERT INTO dnc_lists (campaign_id, source, reason, added_at)
SELECT DISTINCT 0, source, reason, added_at FROM dnc_before;
INSERT INTO dnc (number_key, campaign_id, list_id, number)
SELECT b.number_key, 0, l.id, b.number FROM dnc_before b JOIN dnc_lists l
ON l.source IS NOT DISTINCT FROM b.source AND l.reason IS NOT DISTINCT FROM b.reason AND l.added_at = b.added_at;
DROP TABLE dnc_before;
