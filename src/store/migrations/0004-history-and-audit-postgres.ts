/** History and audit log on PostgreSQL: the same tables and columns as on SQLite. */
export const HISTORY_AND_AUDIT_POSTGRES = `
  -- A JSON object: source, address, userAgent, reason, requestId.
  ALTER TABLE resource_versions ADD COLUMN origin TEXT;
  -- A JSON array beside secret_pointers: the revision that first wrote each secret. Null: this version's own.
  ALTER TABLE resource_versions ADD COLUMN secrets_since TEXT;
  ALTER TABLE resource_versions ADD COLUMN superseded_at BIGINT;
  ALTER TABLE resource_versions ADD COLUMN superseded_revision BIGINT;
  UPDATE resource_versions SET
    superseded_at = CASE WHEN op = 'delete' THEN at ELSE followed.next_at END,
    superseded_revision = CASE WHEN op = 'delete' THEN revision ELSE followed.next_revision END
  FROM (
    SELECT number, lead(at) OVER by_resource AS next_at, lead(revision) OVER by_resource AS next_revision
    FROM resource_versions WINDOW by_resource AS (PARTITION BY group_id, kind, parent_id, id ORDER BY number)
  ) AS followed
  WHERE followed.number = resource_versions.number;
  CREATE INDEX resource_versions_by_revision ON resource_versions (group_id, revision, number);
  CREATE INDEX resource_versions_in_force ON resource_versions (group_id, kind, parent_id, id, number) WHERE superseded_at IS NULL;
  CREATE INDEX resource_versions_superseded ON resource_versions (superseded_at, number) WHERE superseded_at IS NOT NULL;

  CREATE TABLE history_limits (
    group_id TEXT COLLATE "C" PRIMARY KEY,
    -- The state of the group at this revision and every later one can be told.
    kept_from BIGINT NOT NULL
  );
  -- What was forgotten before was not counted.
  INSERT INTO history_limits (group_id, kept_from)
    SELECT id, revision FROM gateway_groups WHERE created_at < extract(epoch FROM now()) - 90 * 86400;
  -- A trigger, so that older software that still runs on this database counts too.
  CREATE FUNCTION count_forgotten_versions() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      INSERT INTO history_limits AS known (group_id, kept_from)
        SELECT forgotten.group_id, max(coalesce(superseded_revision, gateway_groups.revision, 0))
        FROM forgotten LEFT JOIN gateway_groups ON gateway_groups.id = forgotten.group_id
        GROUP BY forgotten.group_id
      ON CONFLICT (group_id) DO UPDATE SET kept_from = greatest(known.kept_from, excluded.kept_from);
      RETURN NULL;
    END
  $body$;
  CREATE TRIGGER resource_versions_forgotten AFTER DELETE ON resource_versions
    REFERENCING OLD TABLE AS forgotten FOR EACH STATEMENT EXECUTE FUNCTION count_forgotten_versions();

  -- A JSON object: source, userAgent, reason, requestId.
  ALTER TABLE audit_entries ADD COLUMN origin TEXT;
  ALTER TABLE audit_entries ADD COLUMN previous_hash BYTEA;
  ALTER TABLE audit_entries ADD COLUMN hash BYTEA;
  -- An index of SQLite has the number in it anyway.
  DROP INDEX audit_entries_by_time;
  CREATE INDEX audit_entries_by_time ON audit_entries (at, number);
  CREATE INDEX audit_entries_by_author ON audit_entries (author_id, at, number);
  CREATE INDEX audit_entries_by_action ON audit_entries (action, at, number);
  CREATE INDEX audit_entries_by_resource ON audit_entries (resource, at, number);
  CREATE INDEX audit_entries_by_group ON audit_entries (group_id, at, number) WHERE group_id IS NOT NULL;
  CREATE INDEX audit_entries_by_address ON audit_entries (address, at, number) WHERE address IS NOT NULL;
`;
