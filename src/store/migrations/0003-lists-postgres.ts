/** The lists on PostgreSQL: as on SQLite, but for facets, which are an array. */
export const LISTS_POSTGRES = `
  CREATE TABLE lists_revisions (
    group_id TEXT COLLATE "C" PRIMARY KEY,
    revision BIGINT NOT NULL
  );

  -- One list for all of a kind, for what each owner has, and for each label. Empty lists do not exist.
  CREATE TABLE resource_lists (
    list BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    -- Empty for all of the kind, else a digest of what its members share.
    facet TEXT COLLATE "C" NOT NULL,
    entries INTEGER NOT NULL,
    has_blocks INTEGER NOT NULL CHECK (has_blocks IN (0, 1))
  );
  CREATE UNIQUE INDEX resource_lists_by_facet ON resource_lists (group_id, kind, facet);

  -- Each list in each of its orders.
  CREATE TABLE list_entries (
    list BIGINT NOT NULL,
    -- 0: last written, 1: created, 2: name.
    sort INTEGER NOT NULL,
    sort_key TEXT COLLATE "C" NOT NULL,
    resource_row BIGINT NOT NULL,
    PRIMARY KEY (list, sort, sort_key) INCLUDE (resource_row)
  );

  -- How many entries of a long list lie from one key up to the next block's: adding them up leads to any place of the list.
  CREATE TABLE list_blocks (
    list BIGINT NOT NULL,
    sort INTEGER NOT NULL,
    first_key TEXT COLLATE "C" NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (list, sort, first_key)
  );

  -- A resource as it stands in lists, small, so that searching reads nothing else.
  CREATE TABLE listed_resources (
    group_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    resource_row BIGINT NOT NULL,
    parent_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    updated_key TEXT COLLATE "C" NOT NULL,
    created_key TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    -- The lists it is in, besides that of its kind.
    facets TEXT[] COLLATE "C" NOT NULL,
    label_names TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (group_id, kind, resource_row)
  );
  CREATE UNIQUE INDEX listed_resources_by_key ON listed_resources (group_id, kind, parent_id, id);
`;
