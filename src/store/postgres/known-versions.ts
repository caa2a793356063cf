import { VERSION_HEAD_COLUMNS, type VersionRow } from '../rows/history-rows.ts';
import { keyOfRow } from '../rows/resource-rows.ts';
import type { ResourceKey } from '../store.ts';
import { columnsOf, nameOfKey } from './known-resources.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** What some resources were at one revision of the past, which no write changes any more. */
export class KnownVersions {
  #revision: number | undefined;
  #versions: ReadonlyMap<string, VersionRow | undefined> = new Map();

  /** Reads the versions in place of those known before. */
  async load(connection: PostgresConnection, keys: readonly ResourceKey[], revision: number): Promise<void> {
    const rows = await connection.all<VersionRow>(
      // The sum keeps PostgreSQL from the index over revisions, by which it would read those of the whole group.
      `SELECT found.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (group_id, kind, parent_id, id),
         LATERAL (SELECT ${VERSION_HEAD_COLUMNS}, document FROM resource_versions
           WHERE resource_versions.group_id = wanted.group_id COLLATE "C" AND resource_versions.kind = wanted.kind COLLATE "C"
             AND resource_versions.parent_id = wanted.parent_id COLLATE "C" AND resource_versions.id = wanted.id COLLATE "C"
             AND revision + 0 <= $5 ORDER BY number DESC LIMIT 1) AS found`,
      ...columnsOf(keys),
      revision,
    );
    const found = new Map(rows.map((row) => [nameOfKey(keyOfRow(row)), row]));
    this.#versions = new Map(keys.map((key) => [nameOfKey(key), found.get(nameOfKey(key))]));
    this.#revision = revision;
  }

  /** Undefined where it is not known; `version` is undefined where there was none. */
  find(key: ResourceKey, revision: number): { readonly version: VersionRow | undefined } | undefined {
    const name = nameOfKey(key);
    return revision === this.#revision && this.#versions.has(name) ? { version: this.#versions.get(name) } : undefined;
  }
}
