-- One text for SQLite and PostgreSQL. Instants are microseconds since 1970-01-01T00:00:00Z. No column is ever null.

-- The change counter. Every change takes the next number first and holds the row until it commits, so that numbers become
-- visible in their order, and two deliveries of one alert never mix.
CREATE TABLE counter (
    id BIGINT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (id, value) VALUES (1, 0);

-- What stands now: one row per alert.
CREATE TABLE alerts (
    alert_id TEXT PRIMARY KEY,
    revision BIGINT NOT NULL,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    place_id TEXT NOT NULL,
    drill BIGINT NOT NULL,       -- 1 for a drill
    updated_at BIGINT NOT NULL,  -- the alert's own, in the time of the log
    position BIGINT NOT NULL,    -- the change that brought this revision; with updated_at it orders the list
    changed_at BIGINT NOT NULL,  -- the centre's clock at the last change
    state TEXT NOT NULL,         -- of the incident
    state_since BIGINT NOT NULL,
    is_open BIGINT NOT NULL,     -- 1 while the incident is with people
    document TEXT NOT NULL       -- the alert as JSON, without the incident
);
CREATE INDEX alerts_newest ON alerts (updated_at, position);
CREATE INDEX alerts_by_place ON alerts (place_id, updated_at, position);
CREATE INDEX alerts_open ON alerts (is_open, updated_at, position);
CREATE INDEX alerts_done ON alerts (is_open, changed_at);

-- What happened, in order: a revision that came or something that people did. The stream reads it.
CREATE TABLE changes (
    change BIGINT PRIMARY KEY,
    alert_id TEXT NOT NULL,
    at BIGINT NOT NULL,          -- the centre's clock
    what TEXT NOT NULL,          -- delivered, acknowledge, resolve
    revision BIGINT NOT NULL,
    skipped BIGINT NOT NULL,     -- how many revisions before this one never came
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    desk TEXT NOT NULL,          -- who acted: a desk or a role; empty when not said
    state TEXT NOT NULL,         -- of the incident, after the change
    state_since BIGINT NOT NULL,
    document TEXT NOT NULL       -- of a delivery; empty for what people did
);
CREATE INDEX changes_of_alert ON changes (alert_id, revision, what);
CREATE INDEX changes_by_age ON changes (at);
