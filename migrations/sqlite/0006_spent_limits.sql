-- What the last owner had used of the lane's limits when it gave the lane back in good order.
ALTER TABLE lanes ADD COLUMN spent TEXT;        -- JSON; null: nobody knows, and all of it may be used up
