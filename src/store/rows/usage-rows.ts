import {
  type UnusedCredential,
  USAGE_DIMENSIONS,
  USAGE_SPANS,
  type UsageDimension,
  type UsageQuery,
  type UsageStore,
  type UsageSum,
} from '../usage.ts';

/** A row of a sum, as a database gives it. */
export interface UsageSumRow extends Partial<Record<UsageDimension, string | number>> {
  readonly starts_at: number;
  readonly requests: number;
}

export interface UnusedRow {
  readonly consumer: string;
  readonly credential: string;
  readonly created_at: number;
  readonly last_used_at: number | null;
}

/** What tells one count from another. */
export const USAGE_KEY = 'span, starts_at, group_id, consumer, credential, service, route, status';

/** The statement of a query and what is bound to it; `mark` gives the sign of the parameter at an index from 1. */
export function usageStatement(
  { groupId, span, from, until, equals, splitBy, limit }: UsageQuery,
  mark: (index: number) => string,
): { readonly sql: string; readonly values: readonly (string | number)[] } {
  const conditions = ['span', 'group_id'].map((column, index) => `${column} = ${mark(index + 1)}`);
  conditions.push(`starts_at >= ${mark(3)}`, `starts_at < ${mark(4)}`);
  const values: (string | number)[] = [USAGE_SPANS[span], groupId, from, until];
  for (const dimension of USAGE_DIMENSIONS) {
    const value = dimension === 'status' ? undefined : equals[dimension];
    if (value === undefined) continue;
    values.push(value);
    conditions.push(`${dimension} = ${mark(values.length)}`);
  }
  values.push(limit);
  const columns = ['starts_at', ...USAGE_DIMENSIONS.filter((dimension) => splitBy.includes(dimension))].join(', ');
  const where = conditions.join(' AND ');
  // PostgreSQL's sums are of a type of their own.
  const sum = 'CAST(sum(requests) AS BIGINT) AS requests';
  return {
    sql: `SELECT ${columns}, ${sum} FROM usage_counts WHERE ${where} GROUP BY ${columns} ORDER BY ${columns} LIMIT ${mark(values.length)}`,
    values,
  };
}

export function usageSumOfRow({ starts_at, requests, ...of }: UsageSumRow): UsageSum {
  return { startsAt: starts_at, requests, of };
}

/**
 * Those among the credentials of these rows that are older than `before` and were not used since, and where to go on when there were as many
 * as `limit`. A use from before a credential was created was another's.
 */
export function unusedOfRows(
  rows: readonly UnusedRow[],
  before: number,
  limit: number,
): Awaited<ReturnType<UsageStore['unusedCredentials']>> {
  const last = rows.length < limit ? undefined : rows.at(-1);
  const unused = rows.flatMap(({ consumer, credential, created_at, last_used_at }): readonly UnusedCredential[] => {
    const lastUsedAt = last_used_at === null || last_used_at < created_at ? undefined : last_used_at;
    if (created_at >= before || (lastUsedAt ?? 0) >= before) return [];
    return [{ consumer, credential, createdAt: created_at, lastUsedAt }];
  });
  return { unused, next: last && { consumer: last.consumer, credential: last.credential } };
}
