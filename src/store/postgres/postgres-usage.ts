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
import { UsageInDoubt } from '../usage-in-doubt.ts';
import { transactionNumber, wasCommitted } from './commit-outcome.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { inTransaction } from './run-transaction.ts';

/** Usage takes no turn with those who write resources. */
export interface PostgresUsageParts {
  readonly read: <Result>(work: (connection: PostgresConnection) => Promise<Result>) => Promise<Result>;
  /** Never tries again by itself. */
  readonly write: <Result>(work: (connection: PostgresConnection) => Promise<Result>) => Promise<Result>;
}

/** Whether a resource is, or was before it was deleted, in the group of the row `i`. */
const wasThere = (kind: string, parent: string, id: string): string =>
  ['resources', 'resource_removals']
    .map(
      (table) =>
        `EXISTS (SELECT 1 FROM ${table} AS r WHERE r.group_id = i.group_id AND r.kind = '${kind}' AND r.parent_id = ${parent} AND r.id = ${id})`,
    )
    .join(' OR ');

// Sorted: two control planes that add to the same rows would otherwise wait for each other for ever.
const RECORD = `
  WITH input AS (
    SELECT group_id COLLATE "C" AS group_id, consumer COLLATE "C" AS consumer, credential COLLATE "C" AS credential,
      route COLLATE "C" AS route, status, at, requests, last_used_at, instance_id COLLATE "C" AS instance_id
    FROM jsonb_to_recordset($1::text::jsonb) AS given (group_id text, consumer text, credential text, route text, status bigint,
      at bigint, requests bigint, last_used_at bigint, instance_id text)
  ), known AS MATERIALIZED (
    SELECT i.*, coalesce(owned.owner_id, '') AS service FROM input AS i
    LEFT JOIN resources AS owned ON owned.group_id = i.group_id AND owned.kind = 'route' AND owned.parent_id = '' AND owned.id = i.route
    WHERE EXISTS (SELECT 1 FROM gateway_groups AS g WHERE g.id = i.group_id) AND (
      i.consumer = '*' OR (
        (i.route = '' OR ${wasThere('route', `''`, 'i.route')}) AND (
          (i.consumer = '' AND i.credential = '')
          OR (i.consumer <> '' AND i.credential = '' AND (${wasThere('consumer', `''`, 'i.consumer')}))
          OR (i.consumer <> '' AND i.credential <> '' AND (${wasThere('credential', 'i.consumer', 'i.credential')})))))
  ), counted AS (
    INSERT INTO usage_counts (${USAGE_KEY}, requests)
    SELECT spans.span, at - at % spans.span, group_id, consumer, credential, service, route, status, least(sum(requests), ${MAX_USAGE_REQUESTS})
    FROM known CROSS JOIN (VALUES (${USAGE_SPANS.hour}::bigint), (${USAGE_SPANS.day}::bigint)) AS spans (span)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (${USAGE_KEY}) DO UPDATE SET requests = least(usage_counts.requests + excluded.requests, ${MAX_USAGE_REQUESTS})
  )
  INSERT INTO credential_uses (group_id, consumer, credential, last_used_at, instance_id)
  SELECT DISTINCT ON (group_id, consumer, credential) group_id, consumer, credential, last_used_at, instance_id
  FROM known WHERE credential NOT IN ('', '*') ORDER BY group_id, consumer, credential, last_used_at DESC
  ON CONFLICT (group_id, consumer, credential) DO UPDATE SET last_used_at = excluded.last_used_at, instance_id = excluded.instance_id
  WHERE excluded.last_used_at > credential_uses.last_used_at`;

/** Who used what, on PostgreSQL. */
export class PostgresUsage implements UsageStore {
  readonly #parts: PostgresUsageParts;

  constructor(parts: PostgresUsageParts) {
    this.#parts = parts;
  }

  async record(rows: readonly UsageRow[]): Promise<void> {
    const given = rows.map(({ groupId, lastUsedAt, instanceId, ...row }) => ({
      ...row,
      group_id: groupId,
      last_used_at: lastUsedAt,
      instance_id: instanceId,
    }));
    let number: string | undefined;
    let isCommitting = false;
    const add = async (connection: PostgresConnection): Promise<void> => {
      number = await transactionNumber(connection);
      await connection.run(RECORD, JSON.stringify(given));
      isCommitting = true;
    };
    try {
      await this.#parts.write((connection) => inTransaction(connection, 'BEGIN', () => add(connection)));
    } catch (error) {
      if (!isCommitting || number === undefined) throw error;
      const asked = number;
      throw new UsageInDoubt(error, () => this.#parts.read((connection) => wasCommitted(connection, asked)));
    }
  }

  async countRows(groupId: string, hour: number, limit: number): Promise<number> {
    const found = await this.#parts.read((connection) =>
      connection.get<{ count: number }>(
        'SELECT count(*) AS count FROM (SELECT 1 FROM usage_counts WHERE span = $1 AND starts_at = $2 AND group_id = $3 LIMIT $4) AS rows',
        ...[USAGE_SPANS.hour, hour, groupId, limit],
      ),
    );
    return found?.count ?? 0;
  }

  async find(query: UsageQuery): ReturnType<UsageStore['find']> {
    const { sql, values } = usageStatement(query, (index) => `$${index}`);
    return (await this.#parts.read((connection) => connection.all<UsageSumRow>(sql, ...values))).map(usageSumOfRow);
  }

  lastUse(groupId: string, consumer: string, credential?: string): Promise<LastUse | undefined> {
    return this.#parts.read((connection) =>
      connection.get<LastUse>(
        `SELECT last_used_at AS at, instance_id AS "instanceId" FROM credential_uses
         WHERE group_id = $1 AND consumer = $2 AND credential = coalesce($3, credential) ORDER BY last_used_at DESC LIMIT 1`,
        ...[groupId, consumer, credential ?? null],
      ),
    );
  }

  async unusedCredentials(
    groupId: string,
    before: number,
    after: CredentialPlace | undefined,
    limit: number,
  ): ReturnType<UsageStore['unusedCredentials']> {
    const rows = await this.#parts.read((connection) =>
      connection.all<UnusedRow>(
        `SELECT r.parent_id AS consumer, r.id AS credential, r.created_at, u.last_used_at FROM resources AS r
         LEFT JOIN credential_uses AS u ON u.group_id = r.group_id AND u.consumer = r.parent_id AND u.credential = r.id
         WHERE r.group_id = $1 AND r.kind = 'credential' AND (r.parent_id, r.id) > ($2, $3) ORDER BY r.parent_id, r.id LIMIT $4`,
        ...[groupId, after?.consumer ?? '', after?.credential ?? '', limit],
      ),
    );
    return unusedOfRows(rows, before, limit);
  }

  prune(before: { readonly hours: number; readonly days: number }, limit: number): Promise<number> {
    return this.#parts.write(async (connection) => {
      const remove = (span: number, bound: number): Promise<number> =>
        connection.run(
          `DELETE FROM usage_counts WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM usage_counts WHERE span = $1 AND starts_at < $2 LIMIT $3))`,
          ...[span, bound, limit],
        );
      const hours = await remove(USAGE_SPANS.hour, before.hours);
      const days = await remove(USAGE_SPANS.day, before.days);
      const uses = await connection.run(
        `DELETE FROM credential_uses WHERE ctid = ANY (ARRAY(
           SELECT u.ctid FROM credential_uses AS u WHERE last_used_at < $1 AND NOT EXISTS (
             SELECT 1 FROM resources AS r
             WHERE r.group_id = u.group_id AND r.kind = 'credential' AND r.parent_id = u.consumer AND r.id = u.credential)
           LIMIT $2))`,
        ...[before.days, limit],
      );
      return hours + days + uses;
    });
  }
}
