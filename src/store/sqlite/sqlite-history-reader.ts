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
import { SqliteReader } from './sqlite-reader.ts';

const KEY = 'group_id = ? AND kind = ? AND parent_id = ? AND id = ?';

/** Reads what is now and what was. */
export class SqliteHistoryReader extends SqliteReader implements HistoryReader {
  async listVersions(key: ResourceKey, limit: number, below: number = Number.MAX_SAFE_INTEGER): Promise<readonly ResourceVersion[]> {
    return this.step(() =>
      this.database
        .all<VersionRow>(
          `SELECT * FROM resource_versions WHERE ${KEY} AND number < ? ORDER BY number DESC LIMIT ?`,
          ...[...columnsOfKey(key), below, limit],
        )
        .map(versionOfRow),
    );
  }

  async listVersionHeads(key: ResourceKey, limit: number, below: number = Number.MAX_SAFE_INTEGER): Promise<readonly VersionHead[]> {
    return this.step(() =>
      this.database
        .all<VersionHeadRow>(
          `SELECT ${VERSION_HEAD_COLUMNS} FROM resource_versions WHERE ${KEY} AND number < ? ORDER BY number DESC LIMIT ?`,
          ...[...columnsOfKey(key), below, limit],
        )
        .map(versionHeadOfRow),
    );
  }

  async countVersions(key: ResourceKey): Promise<number> {
    return this.step(
      () =>
        this.database.get<{ count: number }>(`SELECT count(*) AS count FROM resource_versions WHERE ${KEY}`, ...columnsOfKey(key))?.count ??
        0,
    );
  }

  async versionAt(key: ResourceKey, revision: number): Promise<ResourceVersion | undefined> {
    return this.step(() => {
      const row = this.database.get<VersionRow>(
        // The plus keeps SQLite from the index over revisions, by which it would read those of the whole group.
        `SELECT * FROM resource_versions WHERE ${KEY} AND +revision <= ? ORDER BY number DESC LIMIT 1`,
        ...[...columnsOfKey(key), revision],
      );
      return row && versionOfRow(row);
    });
  }

  async listRevisions(groupId: string, limit: number, below: number = Number.MAX_SAFE_INTEGER): Promise<readonly GroupRevision[]> {
    return this.step(() =>
      this.database
        .all<RevisionRow>(
          // All versions of a revision have the same author.
          `SELECT revision, min(at) AS at, count(*) AS changes, max(author_id) AS author_id, max(author_name) AS author_name,
             max(origin) AS origin
           FROM resource_versions WHERE group_id = ? AND revision IN (
             SELECT DISTINCT revision FROM resource_versions WHERE group_id = ? AND revision < ? ORDER BY revision DESC LIMIT ?)
           GROUP BY revision ORDER BY revision DESC`,
          ...[groupId, groupId, below, limit],
        )
        .map(revisionOfRow),
    );
  }

  async listVersionsOfRevision(groupId: string, revision: number, limit: number): Promise<readonly VersionHead[]> {
    return this.step(() =>
      this.database
        .all<VersionHeadRow>(
          `SELECT ${VERSION_HEAD_COLUMNS} FROM resource_versions WHERE group_id = ? AND revision = ? ORDER BY number LIMIT ?`,
          ...[groupId, revision, limit],
        )
        .map(versionHeadOfRow),
    );
  }

  async listChangedKeys(groupId: string, revision: number): Promise<readonly ResourceKey[]> {
    return this.step(() =>
      this.database
        .all<KeyColumns>(
          'SELECT DISTINCT group_id, kind, parent_id, id FROM resource_versions WHERE group_id = ? AND revision > ?',
          ...[groupId, revision],
        )
        .map(keyOfRow),
    );
  }

  async historyKeptFrom(groupId: string): Promise<number> {
    return this.step(
      () => this.database.get<{ kept_from: number }>('SELECT kept_from FROM history_limits WHERE group_id = ?', groupId)?.kept_from ?? 0,
    );
  }
}
