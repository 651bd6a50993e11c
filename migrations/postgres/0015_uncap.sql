-- The revision that brought other limits, while some of those whom the old ones put off are not due yet.
ALTER TABLE campaigns ADD COLUMN uncap BIGINT;
