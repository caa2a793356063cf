import { type UnusedRow, USAGE_KEY, type UsageSumRow, unusedOfRows, usageStatement, usageSumOfRow } from '../rows/usage-rows.ts';
import {
  type CredentialPlace,
  type LastUse,
  MAX_USAGE_REQUESTS,
  USAGE_SPANS,
  type UsageQuery,
  type UsageRow,
  type UsageStore,
} from '../usage.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** By which way usage is read and written. */
export interface SqliteUsageParts {
  /** A read of what is committed. */
  readonly read: <Result>(work: (database: SqliteDatabase) => Result) => Promise<Result>;
  /** A transaction of its own. */
  readonly write: <Result>(work: (database: SqliteDatabase) => Result) => Promise<Result>;
}

/** Who used what, in the embedded store. */
export class SqliteUsage implements UsageStore {
  readonly #parts: SqliteUsageParts;

  constructor(parts: SqliteUsageParts) {
    this.#parts = parts;
  }

  record(rows: readonly UsageRow[]): Promise<void> {
    return this.#parts.write((database) => {
      for (const row of rows) recordRow(database, row);
    });
  }

  countRows(groupId: string, hour: number, limit: number): Promise<number> {
    return this.#parts.read((database) => {
      const found = database.get<{ count: number }>(
        'SELECT count(*) AS count FROM (SELECT 1 FROM usage_counts WHERE span = ? AND starts_at = ? AND group_id = ? LIMIT ?)',
        ...[USAGE_SPANS.hour, hour, groupId, limit],
      );
      return found?.count ?? 0;
    });
  }

  find(query: UsageQuery): ReturnType<UsageStore['find']> {
    const { sql, values } = usageStatement(query, () => '?');
    return this.#parts.read((database) => database.all<UsageSumRow>(sql, ...values).map(usageSumOfRow));
  }

  lastUse(groupId: string, consumer: string, credential?: string): Promise<LastUse | undefined> {
    return this.#parts.read((database) =>
      database.get<LastUse>(
        `SELECT last_used_at AS at, instance_id AS "instanceId" FROM credential_uses
         WHERE group_id = ? AND consumer = ? AND credential = coalesce(?, credential) ORDER BY last_used_at DESC LIMIT 1`,
        ...[groupId, consumer, credential ?? null],
      ),
    );
  }

  unusedCredentials(
    groupId: string,
    before: number,
    after: CredentialPlace | undefined,
    limit: number,
  ): ReturnType<UsageStore['unusedCredentials']> {
    return this.#parts.read((database) => {
      const rows = database.all<UnusedRow>(
        `SELECT r.parent_id AS consumer, r.id AS credential, r.created_at, u.last_used_at FROM resources AS r
         LEFT JOIN credential_uses AS u ON u.group_id = r.group_id AND u.consumer = r.parent_id AND u.credential = r.id
         WHERE r.group_id = ? AND r.kind = 'credential' AND (r.parent_id, r.id) > (?, ?) ORDER BY r.parent_id, r.id LIMIT ?`,
        ...[groupId, after?.consumer ?? '', after?.credential ?? '', limit],
      );
      return unusedOfRows(rows, before, limit);
    });
  }

  prune(before: { readonly hours: number; readonly days: number }, limit: number): Promise<number> {
    return this.#parts.write((database) => {
      const remove = (span: number, bound: number): number =>
        database.run(
          'DELETE FROM usage_counts WHERE rowid IN (SELECT rowid FROM usage_counts WHERE span = ? AND starts_at < ? LIMIT ?)',
          ...[span, bound, limit],
        );
      const uses = database.run(
        `DELETE FROM credential_uses WHERE (group_id, consumer, credential) IN (
           SELECT group_id, consumer, credential FROM credential_uses AS u WHERE last_used_at < ? AND NOT EXISTS (
             SELECT 1 FROM resources AS r
             WHERE r.group_id = u.group_id AND r.kind = 'credential' AND r.parent_id = u.consumer AND r.id = u.credential)
           LIMIT ?)`,
        ...[before.days, limit],
      );
      return remove(USAGE_SPANS.hour, before.hours) + remove(USAGE_SPANS.day, before.days) + uses;
    });
  }
}

function recordRow(database: SqliteDatabase, row: UsageRow): void {
  const { groupId, consumer, credential, route, status, at, requests, lastUsedAt, instanceId } = row;
  if (!isKnown(database, row)) return;
  const owner = database.get<{ owner_id: string | null }>(
    `SELECT owner_id FROM resources WHERE group_id = ? AND kind = 'route' AND parent_id = '' AND id = ?`,
    ...[groupId, route],
  );
  const counted = Math.min(requests, MAX_USAGE_REQUESTS);
  for (const span of Object.values(USAGE_SPANS)) {
    database.run(
      `INSERT INTO usage_counts (${USAGE_KEY}, requests) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (${USAGE_KEY}) DO UPDATE SET requests = min(requests + excluded.requests, ${MAX_USAGE_REQUESTS})`,
      ...[span, at - (at % span), groupId, consumer, credential, owner?.owner_id ?? '', route, status, counted],
    );
  }
  if (credential === '' || credential === '*') return;
  database.run(
    `INSERT INTO credential_uses (group_id, consumer, credential, last_used_at, instance_id) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (group_id, consumer, credential) DO UPDATE SET last_used_at = excluded.last_used_at, instance_id = excluded.instance_id
     WHERE excluded.last_used_at > last_used_at`,
    ...[groupId, consumer, credential, lastUsedAt, instanceId],
  );
}

/** Of this group, now or before they were deleted. */
function isKnown(database: SqliteDatabase, { groupId, consumer, credential, route }: UsageRow): boolean {
  if (consumer === '*') return wasThere(database, groupId, undefined);
  const isRouteKnown = route === '' ? wasThere(database, groupId, undefined) : wasThere(database, groupId, ['route', '', route]);
  if (!isRouteKnown) return false;
  if (consumer === '') return credential === '';
  return wasThere(database, groupId, credential === '' ? ['consumer', '', consumer] : ['credential', consumer, credential]);
}

/** Undefined: whether the group itself is there. */
function wasThere(database: SqliteDatabase, groupId: string, key: readonly [string, string, string] | undefined): boolean {
  if (key === undefined) return database.get('SELECT 1 FROM gateway_groups WHERE id = ?', groupId) !== undefined;
  const where = 'WHERE group_id = ? AND kind = ? AND parent_id = ? AND id = ?';
  return (
    database.get(`SELECT 1 FROM resources ${where}`, groupId, ...key) !== undefined ||
    database.get(`SELECT 1 FROM resource_removals ${where}`, groupId, ...key) !== undefined
  );
}
