import type { Migration } from './migration.ts';

/** Which keys each control plane that lives has, so that none encrypts with one that another cannot open. A store in a file has one control plane. */
export const knownKeys: Migration = {
  version: 7,
  name: 'known keys',
  oldestCompatible: 1,
  sqlite: 'SELECT 1;',
  postgres: `
    ALTER TABLE control_planes ADD COLUMN host TEXT;
    -- A JSON array of [key id, fingerprint]; null where older software says nothing of its keys.
    ALTER TABLE control_planes ADD COLUMN known_keys TEXT;
  `,
};
