import type { Migration } from './migration.ts';

/** Which gateway instances a control plane with a store in a file has seen, so that its next start knows them. PostgreSQL has a table since version 6. */
export const rememberedInstances: Migration = {
  version: 8,
  name: 'remembered instances',
  oldestCompatible: 1,
  sqlite: `
    CREATE TABLE gateway_instances (
      group_id TEXT NOT NULL,
      instance_id TEXT NOT NULL,
      -- The report as JSON.
      report TEXT NOT NULL,
      -- Unix milliseconds.
      seen_at INTEGER NOT NULL,
      PRIMARY KEY (group_id, instance_id)
    ) STRICT, WITHOUT ROWID;
  `,
  postgres: 'SELECT 1;',
};
