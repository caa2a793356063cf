/**
 * The first schema on PostgreSQL: the same tables and columns as on SQLite, so that both are read by the same code.
 *
 * Names are in collation "C": ordered byte by byte, whatever the database's own collation is or becomes. Documents are text, not
 * `jsonb`: that would reorder their keys, and refuses NUL and halves of surrogate pairs.
 */
export const FIRST_SCHEMA_POSTGRES = `
  CREATE TABLE gateway_groups (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    revision BIGINT NOT NULL,
    -- The removals after this revision are all kept; older ones may be forgotten.
    removals_kept_after BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
  );

  CREATE TABLE resources (
    row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id TEXT COLLATE "C" NOT NULL REFERENCES gateway_groups (id),
    kind TEXT COLLATE "C" NOT NULL,
    parent_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    owner_kind TEXT COLLATE "C",
    owner_id TEXT COLLATE "C",
    revision BIGINT NOT NULL,
    position INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document TEXT NOT NULL,
    -- The document's labels that are text, each a JSON array of name and value; null for none.
    labels TEXT[],
    secrets TEXT
  );
  CREATE UNIQUE INDEX resources_by_key ON resources (group_id, kind, parent_id, id);
  CREATE INDEX resources_by_owner ON resources (group_id, owner_kind, owner_id, kind) WHERE owner_id IS NOT NULL;
  CREATE INDEX resources_by_kind_and_age ON resources (group_id, kind, revision, position);
  CREATE INDEX resources_by_change ON resources (group_id, revision, position);

  -- The last removal of every resource that does not exist now.
  CREATE TABLE resource_removals (
    group_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    parent_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    position INTEGER NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (group_id, kind, parent_id, id)
  );
  CREATE INDEX resource_removals_by_change ON resource_removals (group_id, revision, position);
  CREATE INDEX resource_removals_by_time ON resource_removals (at);

  CREATE TABLE resource_versions (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    parent_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    op TEXT NOT NULL CHECK (op IN ('put', 'delete')),
    author_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- Null for a delete.
    document TEXT,
    -- A JSON array of the pointers that were left out of the document.
    secret_pointers TEXT
  );
  CREATE INDEX resource_versions_by_key ON resource_versions (group_id, kind, parent_id, id, number);
  CREATE INDEX resource_versions_by_time ON resource_versions (at);

  CREATE TABLE unique_values (
    group_id TEXT COLLATE "C" NOT NULL,
    space TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    resource_row BIGINT NOT NULL REFERENCES resources (row) ON DELETE CASCADE,
    PRIMARY KEY (group_id, space, digest)
  );
  CREATE INDEX unique_values_by_resource ON unique_values (resource_row);

  CREATE TABLE settings (
    name TEXT COLLATE "C" PRIMARY KEY,
    -- The bytes themselves, or the ciphertext in UTF-8.
    value BYTEA NOT NULL,
    secret INTEGER NOT NULL CHECK (secret IN (0, 1)),
    updated_at BIGINT NOT NULL
  );

  CREATE TABLE users (
    id TEXT COLLATE "C" PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    created_at BIGINT NOT NULL
  );

  CREATE TABLE tokens (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL
  );

  CREATE TABLE audit_entries (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    author_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    action TEXT NOT NULL,
    group_id TEXT COLLATE "C",
    resource TEXT NOT NULL,
    address TEXT,
    detail TEXT NOT NULL
  );
  CREATE INDEX audit_entries_by_time ON audit_entries (at);

  -- One row for every key that something here is encrypted with: a known text sealed by it.
  CREATE TABLE keyring_checks (
    key_id TEXT COLLATE "C" PRIMARY KEY,
    sealed TEXT NOT NULL
  );
`;
