import { StartError } from '../../errors/index.ts';
import type { Migration } from '../migrations/index.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** What a schema holds: nothing, ours at some version, or another program's tables. */
export type SchemaState =
  | { readonly kind: 'empty'; readonly exists: boolean }
  | { readonly kind: 'ours'; readonly version: number; readonly needed: number }
  | { readonly kind: 'foreign' };

/** Reads it. */
export async function readSchemaState(connection: PostgresConnection, schema: string): Promise<SchemaState> {
  const found = await connection.get<{ tables: number; ours: number }>(
    `SELECT count(class.oid) AS tables, count(mark.objoid) AS ours
     FROM pg_namespace AS namespace
     LEFT JOIN pg_class AS class ON class.relnamespace = namespace.oid AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
     LEFT JOIN pg_description AS mark ON mark.objoid = class.oid AND mark.classoid = 'pg_class'::regclass AND mark.objsubid = 0
       AND class.relname = 'schema_migrations' AND mark.description = $2
     WHERE namespace.nspname = $1 GROUP BY namespace.oid`,
    schema,
    MARK,
  );
  if (found === undefined || found.tables === 0) return { kind: 'empty', exists: found !== undefined };
  if (found.ours === 0) return { kind: 'foreign' };
  const versions = await connection.get<{ version: number; needed: number }>(
    'SELECT coalesce(max(version), 0) AS version, coalesce(max(oldest_compatible), 0) AS needed FROM schema_migrations',
  );
  return { kind: 'ours', version: versions?.version ?? 0, needed: versions?.needed ?? 0 };
}

/** The comment on our table of versions: other programs have a table of that name too. */
const MARK = 'The schema versions of Portcullis';

/** Makes the schema where it is missing, and marks it as ours. */
export async function createVersionTable(connection: PostgresConnection, schema: string, exists: boolean): Promise<void> {
  // Not `IF NOT EXISTS`: that needs the right to make schemas even where one was made for us.
  if (!exists) await connection.execute(`CREATE SCHEMA "${schema}"`);
  await connection.execute(`
    CREATE TABLE schema_migrations (
      version INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      oldest_compatible INTEGER NOT NULL,
      applied_at BIGINT NOT NULL
    );
    COMMENT ON TABLE schema_migrations IS '${MARK}';
  `);
}

export async function recordMigration(connection: PostgresConnection, migration: Migration, at: number): Promise<void> {
  await connection.run(
    'INSERT INTO schema_migrations (version, name, oldest_compatible, applied_at) VALUES ($1, $2, $3, $4)',
    ...[migration.version, migration.name, migration.oldestCompatible, at],
  );
}

/**
 * A schema at a later version is fine as long as its migrations say that this software still runs on it.
 *
 * @throws StartError for another program's schema, and for one that needs newer software.
 */
export function refuseForeignSchema(
  state: SchemaState,
  place: { readonly schema: string; readonly database: string },
  known: number,
): void {
  if (state.kind === 'foreign') {
    throw new StartError(
      `The schema "${place.schema}" of ${place.database} holds tables of another program: choose another one with --database-schema.`,
    );
  }
  if (state.kind === 'ours' && state.needed > known) {
    throw new StartError(
      `${place.database.replace(/^t/, 'T')} was written by a newer version of Portcullis (it needs schema ${state.needed}, this version knows ${known}): ` +
        'start the newer version, or restore a backup from before the upgrade.',
    );
  }
}
