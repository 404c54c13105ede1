-- The outbox of a system that tells us events (PostgreSQL). Put a row in it in the same transaction as the work it tells
-- of: then no event is lost and none is told of work that was rolled back. Only add rows; old ones may be removed.
--
-- Debezium reads the write-ahead log: it needs wal_level = logical, and an account with REPLICATION and SELECT here.

CREATE TABLE outbox (
    -- of this row, never used again
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- the topic, without its prefix
    aggregatetype text NOT NULL DEFAULT 'dossiers' CHECK (aggregatetype = 'dossiers'),
    -- the code of the dossier (of officer.* the officer, of source.* the source): the key, so that order is kept
    aggregateid text NOT NULL CHECK (aggregateid <> ''),
    -- the type of the event, such as dossier.acted.v1
    type text NOT NULL,
    -- the whole event as docs/events.md has it, a CloudEvents 1.0 object
    payload jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    -- a field that is not there is NULL, and NULL passes a plain comparison
    CHECK (payload ->> 'specversion' IS NOT DISTINCT FROM '1.0'),
    CHECK (payload ->> 'type' IS NOT DISTINCT FROM type),
    CHECK (payload ->> 'subject' IS NOT DISTINCT FROM aggregateid),
    CHECK (coalesce(payload ->> 'id', '') <> '' AND coalesce(payload ->> 'source', '') <> ''),
    CHECK (coalesce(payload -> 'data' ->> 'occurred_at', '') <> '')
);

COMMENT ON TABLE outbox IS 'Events for Dunghen: added in the transaction of the work they tell of, never changed';

CREATE PUBLICATION outbox_for_dunghen FOR TABLE outbox WITH (publish = 'insert');
