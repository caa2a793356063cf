import type { Migration } from './migration.ts';

/**
 * Users get roles, a boundary and what identity providers know them by; tokens the time of their last use. `records` holds what belongs to
 * no gateway group and has no history: roles, permission policies, sessions, invites, login options.
 *
 * Before roles, everybody might do everything: who is there already keeps that.
 */
export const people: Migration = {
  version: 2,
  name: 'people',
  oldestCompatible: 1,
  sqlite: `
    -- A JSON object: roles, boundary, profile.
    ALTER TABLE users ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE users ADD COLUMN external_id TEXT;
    ALTER TABLE users ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
    CREATE UNIQUE INDEX users_by_external_id ON users (external_id) WHERE external_id IS NOT NULL;
    UPDATE users SET details = '{"roles":["super_admin_id"]}', updated_at = created_at;

    ALTER TABLE tokens ADD COLUMN last_used_at INTEGER;
    CREATE INDEX tokens_by_user ON tokens (user_id, created_at);

    CREATE TABLE records (
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      owner_id TEXT,
      name TEXT,
      -- Never holds a secret: these are in the next column, as a JSON array of [pointer, ciphertext].
      document TEXT NOT NULL,
      secrets TEXT,
      expires_at INTEGER NOT NULL,
      version INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX records_by_name ON records (kind, name) WHERE name IS NOT NULL;
    CREATE INDEX records_by_owner ON records (kind, owner_id) WHERE owner_id IS NOT NULL;
    CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at > 0;
  `,
  postgres: `
    -- A JSON object: roles, boundary, profile.
    ALTER TABLE users ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE users ADD COLUMN external_id TEXT COLLATE "C";
    ALTER TABLE users ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
    CREATE UNIQUE INDEX users_by_external_id ON users (external_id) WHERE external_id IS NOT NULL;
    UPDATE users SET details = '{"roles":["super_admin_id"]}', updated_at = created_at;

    ALTER TABLE tokens ADD COLUMN last_used_at BIGINT;
    CREATE INDEX tokens_by_user ON tokens (user_id, created_at);

    CREATE TABLE records (
      kind TEXT COLLATE "C" NOT NULL,
      id TEXT COLLATE "C" NOT NULL,
      owner_id TEXT COLLATE "C",
      name TEXT COLLATE "C",
      -- Never holds a secret: these are in the next column, as a JSON array of [pointer, ciphertext].
      document TEXT NOT NULL,
      secrets TEXT,
      expires_at BIGINT NOT NULL,
      version BIGINT NOT NULL,
      created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL,
      PRIMARY KEY (kind, id)
    );
    CREATE UNIQUE INDEX records_by_name ON records (kind, name) WHERE name IS NOT NULL;
    CREATE INDEX records_by_owner ON records (kind, owner_id) WHERE owner_id IS NOT NULL;
    CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at > 0;
  `,
};
