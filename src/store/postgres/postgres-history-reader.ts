import type { GroupRevision, HistoryReader, ResourceVersion, VersionHead } from '../history.ts';
import {
  type RevisionRow,
  revisionOfRow,
  VERSION_HEAD_COLUMNS,
  type VersionHeadRow,
  type VersionRow,
  versionHeadOfRow,
  versionOfRow,
} from '../rows/history-rows.ts';
import { type KeyColumns, keyOfRow } from '../rows/resource-rows.ts';
import { columnsOfKey } from '../rows/write-checks.ts';
import type { ResourceKey } from '../store.ts';
import { PostgresReader } from './postgres-reader.ts';

const VERSION_COLUMNS = `${VERSION_HEAD_COLUMNS}, document`;
const KEY = 'group_id = $1 AND kind = $2 AND parent_id = $3 AND id = $4';

/** Reads what is now and what was. */
export class PostgresHistoryReader extends PostgresReader implements HistoryReader {
  async listVersions(key: ResourceKey, limit: number, below: number = Number.MAX_SAFE_INTEGER): Promise<readonly ResourceVersion[]> {
    const rows = await this.all<VersionRow>(
      `SELECT ${VERSION_COLUMNS} FROM resource_versions WHERE ${KEY} AND number < $5 ORDER BY number DESC LIMIT $6`,
      ...[...columnsOfKey(key), below, limit],
    );
    return rows.map(versionOfRow);
  }

  async listVersionHeads(key: ResourceKey, limit: number, below: number = Number.MAX_SAFE_INTEGER): Promise<readonly VersionHead[]> {
    const rows = await this.all<VersionHeadRow>(
      `SELECT ${VERSION_HEAD_COLUMNS} FROM resource_versions WHERE ${KEY} AND number < $5 ORDER BY number DESC LIMIT $6`,
      ...[...columnsOfKey(key), below, limit],
    );
    return rows.map(versionHeadOfRow);
  }

  async countVersions(key: ResourceKey): Promise<number> {
    const row = await this.get<{ count: number }>(`SELECT count(*) AS count FROM resource_versions WHERE ${KEY}`, ...columnsOfKey(key));
    return row?.count ?? 0;
  }

  async versionAt(key: ResourceKey, revision: number): Promise<ResourceVersion | undefined> {
    const row = await this.get<VersionRow>(
      // The sum keeps PostgreSQL from the index over revisions, by which it would read those of the whole group.
      `SELECT ${VERSION_COLUMNS} FROM resource_versions WHERE ${KEY} AND revision + 0 <= $5 ORDER BY number DESC LIMIT 1`,
      ...[...columnsOfKey(key), revision],
    );
    return row && versionOfRow(row);
  }

  async listRevisions(groupId: string, limit: number, below: number = Number.MAX_SAFE_INTEGER): Promise<readonly GroupRevision[]> {
    const rows = await this.all<RevisionRow>(
      // All versions of a revision have the same author.
      `SELECT revision, min(at) AS at, count(*) AS changes, max(author_id) AS author_id, max(author_name) AS author_name,
         max(origin) AS origin
       FROM resource_versions WHERE group_id = $1 AND revision IN (
         SELECT DISTINCT revision FROM resource_versions WHERE group_id = $1 AND revision < $2 ORDER BY revision DESC LIMIT $3)
       GROUP BY revision ORDER BY revision DESC`,
      ...[groupId, below, limit],
    );
    return rows.map(revisionOfRow);
  }

  async listVersionsOfRevision(groupId: string, revision: number, limit: number): Promise<readonly VersionHead[]> {
    const rows = await this.all<VersionHeadRow>(
      `SELECT ${VERSION_HEAD_COLUMNS} FROM resource_versions WHERE group_id = $1 AND revision = $2 ORDER BY number LIMIT $3`,
      ...[groupId, revision, limit],
    );
    return rows.map(versionHeadOfRow);
  }

  async listChangedKeys(groupId: string, revision: number): Promise<readonly ResourceKey[]> {
    const rows = await this.all<KeyColumns>(
      'SELECT DISTINCT group_id, kind, parent_id, id FROM resource_versions WHERE group_id = $1 AND revision > $2',
      ...[groupId, revision],
    );
    return rows.map(keyOfRow);
  }

  async historyKeptFrom(groupId: string): Promise<number> {
    const row = await this.get<{ kept_from: number }>('SELECT kept_from FROM history_limits WHERE group_id = $1', groupId);
    return row?.kept_from ?? 0;
  }
}
