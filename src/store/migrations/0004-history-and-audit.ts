import { HISTORY_AND_AUDIT_POSTGRES } from './0004-history-and-audit-postgres.ts';
import type { Migration } from './migration.ts';

/**
 * Versions learn where they came from, since when each of their secrets holds, and when they were superseded; audit entries are chained.
 *
 * `superseded_at` is when a version stopped being in force: a delete is superseded at once, for it is as good as no version. By it history
 * is forgotten, so that every state within the time kept can be told whole. `history_limits` says from which revision on that is so.
 *
 * Entries that are there already are chained when the store is opened, since SQL has no SHA-256.
 */
export const historyAndAudit: Migration = {
  version: 4,
  name: 'history and audit',
  oldestCompatible: 1,
  sqlite: `
    -- A JSON object: source, address, userAgent, reason, requestId.
    ALTER TABLE resource_versions ADD COLUMN origin TEXT;
    -- A JSON array beside secret_pointers: the revision that first wrote each secret. Null: this version's own.
    ALTER TABLE resource_versions ADD COLUMN secrets_since TEXT;
    ALTER TABLE resource_versions ADD COLUMN superseded_at INTEGER;
    ALTER TABLE resource_versions ADD COLUMN superseded_revision INTEGER;
    UPDATE resource_versions AS version SET
      superseded_at = CASE WHEN op = 'delete' THEN at ELSE (
        SELECT next.at FROM resource_versions AS next
        WHERE next.group_id = version.group_id AND next.kind = version.kind AND next.parent_id = version.parent_id
          AND next.id = version.id AND next.number > version.number ORDER BY next.number LIMIT 1) END,
      superseded_revision = CASE WHEN op = 'delete' THEN revision ELSE (
        SELECT next.revision FROM resource_versions AS next
        WHERE next.group_id = version.group_id AND next.kind = version.kind AND next.parent_id = version.parent_id
          AND next.id = version.id AND next.number > version.number ORDER BY next.number LIMIT 1) END;
    CREATE INDEX resource_versions_by_revision ON resource_versions (group_id, revision, number);
    CREATE INDEX resource_versions_in_force ON resource_versions (group_id, kind, parent_id, id, number) WHERE superseded_at IS NULL;
    CREATE INDEX resource_versions_superseded ON resource_versions (superseded_at, number) WHERE superseded_at IS NOT NULL;

    CREATE TABLE history_limits (
      group_id TEXT NOT NULL PRIMARY KEY,
      -- The state of the group at this revision and every later one can be told.
      kept_from INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- What was forgotten before was not counted.
    INSERT INTO history_limits (group_id, kept_from)
      SELECT id, revision FROM gateway_groups WHERE created_at < unixepoch() - 90 * 86400;
    -- A trigger, so that older software that still runs on this database counts too.
    CREATE TRIGGER resource_versions_forgotten AFTER DELETE ON resource_versions BEGIN
      INSERT INTO history_limits (group_id, kept_from)
      VALUES (OLD.group_id, coalesce(OLD.superseded_revision, (SELECT revision FROM gateway_groups WHERE id = OLD.group_id), 0))
      ON CONFLICT (group_id) DO UPDATE SET kept_from = max(kept_from, excluded.kept_from);
    END;

    -- A JSON object: source, userAgent, reason, requestId.
    ALTER TABLE audit_entries ADD COLUMN origin TEXT;
    ALTER TABLE audit_entries ADD COLUMN previous_hash BLOB;
    ALTER TABLE audit_entries ADD COLUMN hash BLOB;
    CREATE INDEX audit_entries_by_author ON audit_entries (author_id, at, number);
    CREATE INDEX audit_entries_by_action ON audit_entries (action, at, number);
    CREATE INDEX audit_entries_by_resource ON audit_entries (resource, at, number);
    CREATE INDEX audit_entries_by_group ON audit_entries (group_id, at, number) WHERE group_id IS NOT NULL;
    CREATE INDEX audit_entries_by_address ON audit_entries (address, at, number) WHERE address IS NOT NULL;
  `,
  postgres: HISTORY_AND_AUDIT_POSTGRES,
};
