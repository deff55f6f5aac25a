-- The latest revision of each canary: proof that the database can be written. Nothing here is ever shown.
CREATE TABLE canaries (
    place_id TEXT PRIMARY KEY,
    alert_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    taken_at BIGINT NOT NULL     -- the centre's clock
);
