import { FIRST_SCHEMA_POSTGRES } from './0001-first-schema-postgres.ts';
import type { Migration } from './migration.ts';

/**
 * The first schema. Times are Unix seconds. `position` counts the writes within one revision of a group, so that changes can be told
 * in the order they were made. Columns named `document` never hold a secret: `resources.secrets` holds the ciphertexts beside it, as
 * a JSON array of `[pointer, ciphertext]`.
 */
export const firstSchema: Migration = {
  version: 1,
  name: 'first schema',
  oldestCompatible: 1,
  sqlite: `
    CREATE TABLE gateway_groups (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      description TEXT NOT NULL,
      revision INTEGER NOT NULL,
      -- The removals after this revision are all kept; older ones may be forgotten.
      removals_kept_after INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE resources (
      row INTEGER PRIMARY KEY,
      group_id TEXT NOT NULL REFERENCES gateway_groups (id),
      kind TEXT NOT NULL,
      parent_id TEXT NOT NULL,
      id TEXT NOT NULL,
      owner_kind TEXT,
      owner_id TEXT,
      revision INTEGER NOT NULL,
      position INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      document TEXT NOT NULL,
      -- The document's labels that are text, as a JSON object; null for none.
      labels TEXT,
      secrets TEXT
    ) STRICT;
    CREATE UNIQUE INDEX resources_by_key ON resources (group_id, kind, parent_id, id);
    CREATE INDEX resources_by_owner ON resources (group_id, owner_kind, owner_id, kind) WHERE owner_id IS NOT NULL;
    CREATE INDEX resources_by_kind_and_age ON resources (group_id, kind, revision, position);
    CREATE INDEX resources_by_change ON resources (group_id, revision, position);

    -- The last removal of every resource that does not exist now.
    CREATE TABLE resource_removals (
      group_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      parent_id TEXT NOT NULL,
      id TEXT NOT NULL,
      revision INTEGER NOT NULL,
      position INTEGER NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (group_id, kind, parent_id, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX resource_removals_by_change ON resource_removals (group_id, revision, position);
    CREATE INDEX resource_removals_by_time ON resource_removals (at);

    CREATE TABLE resource_versions (
      number INTEGER PRIMARY KEY,
      group_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      parent_id TEXT NOT NULL,
      id TEXT NOT NULL,
      revision INTEGER NOT NULL,
      op TEXT NOT NULL CHECK (op IN ('put', 'delete')),
      author_id TEXT NOT NULL,
      author_name TEXT NOT NULL,
      at INTEGER NOT NULL,
      -- Null for a delete.
      document TEXT,
      -- A JSON array of the pointers that were left out of the document.
      secret_pointers TEXT
    ) STRICT;
    CREATE INDEX resource_versions_by_key ON resource_versions (group_id, kind, parent_id, id, number);
    CREATE INDEX resource_versions_by_time ON resource_versions (at);

    CREATE TABLE unique_values (
      group_id TEXT NOT NULL,
      space TEXT NOT NULL,
      digest BLOB NOT NULL,
      resource_row INTEGER NOT NULL REFERENCES resources (row) ON DELETE CASCADE,
      PRIMARY KEY (group_id, space, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX unique_values_by_resource ON unique_values (resource_row);

    CREATE TABLE settings (
      name TEXT NOT NULL PRIMARY KEY,
      -- The bytes themselves, or the ciphertext in UTF-8.
      value BLOB NOT NULL,
      secret INTEGER NOT NULL CHECK (secret IN (0, 1)),
      updated_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE users (
      id TEXT NOT NULL PRIMARY KEY,
      username TEXT NOT NULL UNIQUE,
      password_hash TEXT NOT NULL,
      must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tokens (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      user_id TEXT NOT NULL,
      token_hash BLOB NOT NULL UNIQUE,
      expires_at INTEGER NOT NULL,
      revoked_at INTEGER,
      created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE audit_entries (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      author_id TEXT NOT NULL,
      author_name TEXT NOT NULL,
      action TEXT NOT NULL,
      group_id TEXT,
      resource TEXT NOT NULL,
      address TEXT,
      detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_entries_by_time ON audit_entries (at);

    -- One row for every key that something here is encrypted with: a known text sealed by it.
    CREATE TABLE keyring_checks (
      key_id TEXT NOT NULL PRIMARY KEY,
      sealed TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
  postgres: FIRST_SCHEMA_POSTGRES,
};
