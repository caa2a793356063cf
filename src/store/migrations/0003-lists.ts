import { LISTS_POSTGRES } from './0003-lists-postgres.ts';
import type { Migration } from './migration.ts';

/**
 * What lists are read from (docs/decisions/0012). Everything here follows from `resources` and is brought up to date from it: a group's
 * lists hold when `lists_revisions` has the group's revision, which software before this step does not know of. For the same reason
 * nothing refers to a resource by a foreign key.
 */
export const lists: Migration = {
  version: 3,
  name: 'lists',
  oldestCompatible: 1,
  sqlite: `
    CREATE TABLE lists_revisions (
      group_id TEXT NOT NULL PRIMARY KEY,
      revision INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- One list for all of a kind, for what each owner has, and for each label. Empty lists do not exist.
    CREATE TABLE resource_lists (
      list INTEGER PRIMARY KEY,
      group_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      -- Empty for all of the kind, else a digest of what its members share.
      facet TEXT NOT NULL,
      entries INTEGER NOT NULL,
      has_blocks INTEGER NOT NULL CHECK (has_blocks IN (0, 1))
    ) STRICT;
    CREATE UNIQUE INDEX resource_lists_by_facet ON resource_lists (group_id, kind, facet);

    -- Each list in each of its orders.
    CREATE TABLE list_entries (
      list INTEGER NOT NULL,
      -- 0: last written, 1: created, 2: name.
      sort INTEGER NOT NULL,
      sort_key TEXT NOT NULL,
      resource_row INTEGER NOT NULL,
      PRIMARY KEY (list, sort, sort_key)
    ) STRICT, WITHOUT ROWID;

    -- How many entries of a long list lie from one key up to the next block's: adding them up leads to any place of the list.
    CREATE TABLE list_blocks (
      list INTEGER NOT NULL,
      sort INTEGER NOT NULL,
      first_key TEXT NOT NULL,
      entries INTEGER NOT NULL,
      PRIMARY KEY (list, sort, first_key)
    ) STRICT, WITHOUT ROWID;

    -- A resource as it stands in lists, small and side by side with its kind, so that searching reads nothing else.
    CREATE TABLE listed_resources (
      group_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      resource_row INTEGER NOT NULL,
      parent_id TEXT NOT NULL,
      id TEXT NOT NULL,
      updated_key TEXT NOT NULL,
      created_key TEXT NOT NULL,
      name_key TEXT NOT NULL,
      -- A JSON array of the lists it is in, besides that of its kind.
      facets TEXT NOT NULL,
      label_names TEXT NOT NULL,
      search_text TEXT NOT NULL,
      PRIMARY KEY (group_id, kind, resource_row)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX listed_resources_by_key ON listed_resources (group_id, kind, parent_id, id);
  `,
  postgres: LISTS_POSTGRES,
};
