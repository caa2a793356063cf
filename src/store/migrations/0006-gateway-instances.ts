import type { Migration } from './migration.ts';

/** Which control planes live, and which gateway instances are connected to them. A store in a file has one control plane, which needs no table for that. */
export const gatewayInstances: Migration = {
  version: 6,
  name: 'gateway instances',
  oldestCompatible: 1,
  sqlite: 'SELECT 1;',
  postgres: `
    CREATE TABLE control_planes (
      id TEXT COLLATE "C" PRIMARY KEY,
      history_id TEXT COLLATE "C" NOT NULL,
      -- The database and table that this was written to: in a copy of either nobody lives.
      place TEXT COLLATE "C" NOT NULL,
      seen_at TIMESTAMPTZ NOT NULL,
      expires_at TIMESTAMPTZ NOT NULL
    );
    CREATE TABLE gateway_instances (
      group_id TEXT COLLATE "C" NOT NULL,
      instance_id TEXT COLLATE "C" NOT NULL,
      control_plane_id TEXT COLLATE "C" NOT NULL,
      connection_id BIGINT NOT NULL,
      is_connected BOOLEAN NOT NULL,
      -- The report as JSON.
      report TEXT NOT NULL,
      seen_at TIMESTAMPTZ NOT NULL,
      PRIMARY KEY (group_id, instance_id)
    );
    CREATE INDEX gateway_instances_by_control_plane ON gateway_instances (control_plane_id);
  `,
};
