-- The county that an alert is in, six digits: the desk that sees to it. Rows of before have none until their next revision.
ALTER TABLE alerts ADD COLUMN desk TEXT NOT NULL DEFAULT '';
