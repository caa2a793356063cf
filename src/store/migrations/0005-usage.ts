import type { Migration } from './migration.ts';

/**
 * Who used what: requests by hour and by day, and the last use of each credential. Nothing refers to resources, because the past stays
 * when they go.
 */
export const usage: Migration = {
  version: 5,
  name: 'usage',
  oldestCompatible: 1,
  sqlite: `
    CREATE TABLE usage_counts (
      -- 3600 or 86400 seconds.
      span INTEGER NOT NULL,
      starts_at INTEGER NOT NULL,
      group_id TEXT NOT NULL,
      consumer TEXT NOT NULL,
      credential TEXT NOT NULL,
      service TEXT NOT NULL,
      route TEXT NOT NULL,
      status INTEGER NOT NULL,
      requests INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX usage_counts_by_time ON usage_counts (span, starts_at, group_id, consumer, credential, service, route, status);
    CREATE INDEX usage_counts_by_consumer ON usage_counts (group_id, consumer, span, starts_at);
    CREATE INDEX usage_counts_by_service ON usage_counts (group_id, service, span, starts_at);
    CREATE INDEX usage_counts_by_route ON usage_counts (group_id, route, span, starts_at);

    CREATE TABLE credential_uses (
      group_id TEXT NOT NULL,
      consumer TEXT NOT NULL,
      credential TEXT NOT NULL,
      last_used_at INTEGER NOT NULL,
      instance_id TEXT NOT NULL,
      PRIMARY KEY (group_id, consumer, credential)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX credential_uses_by_time ON credential_uses (last_used_at);
  `,
  postgres: `
    CREATE TABLE usage_counts (
      -- 3600 or 86400 seconds.
      span BIGINT NOT NULL,
      starts_at BIGINT NOT NULL,
      group_id TEXT COLLATE "C" NOT NULL,
      consumer TEXT COLLATE "C" NOT NULL,
      credential TEXT COLLATE "C" NOT NULL,
      service TEXT COLLATE "C" NOT NULL,
      route TEXT COLLATE "C" NOT NULL,
      status BIGINT NOT NULL,
      requests BIGINT NOT NULL,
      PRIMARY KEY (span, starts_at, group_id, consumer, credential, service, route, status)
    );
    CREATE INDEX usage_counts_by_consumer ON usage_counts (group_id, consumer, span, starts_at);
    CREATE INDEX usage_counts_by_service ON usage_counts (group_id, service, span, starts_at);
    CREATE INDEX usage_counts_by_route ON usage_counts (group_id, route, span, starts_at);

    CREATE TABLE credential_uses (
      group_id TEXT COLLATE "C" NOT NULL,
      consumer TEXT COLLATE "C" NOT NULL,
      credential TEXT COLLATE "C" NOT NULL,
      last_used_at BIGINT NOT NULL,
      instance_id TEXT COLLATE "C" NOT NULL,
      PRIMARY KEY (group_id, consumer, credential)
    );
    CREATE INDEX credential_uses_by_time ON credential_uses (last_used_at);
  `,
};
