import type { PostgresConnection } from '../postgres/postgres-connection.ts';

/** What a store on PostgreSQL holds, in a few words for a person. */
export async function describeContents(connection: PostgresConnection): Promise<string> {
  const found = await connection.get<{ resources: number; users: number; tokens: number; groups: string | null }>(
    `SELECT (SELECT count(*) FROM resources) AS resources, (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM tokens) AS tokens,
       (SELECT string_agg(id || ' at revision ' || revision, ', ' ORDER BY id) FROM (SELECT id, revision FROM gateway_groups ORDER BY id LIMIT 5) AS few) AS groups`,
  );
  return `${found?.resources ?? 0} resources, ${found?.users ?? 0} users, ${found?.tokens ?? 0} tokens; gateway groups: ${found?.groups ?? 'none'}`;
}
