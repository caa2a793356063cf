import { freshSchemaName, queryPostgres } from './postgres-server.ts';

/** The environment of an instance on PostgreSQL. */
export interface DatabaseEnvironment extends Readonly<Record<string, string>> {
  readonly DATABASE_URL: string;
  readonly PORTCULLIS_DATABASE_SCHEMA: string;
}

/** A schema of its own in that database, which goes when the test ends, with those that are derived from its name. */
export function ownSchema(scope: { after(task: () => unknown): void }, url: string): DatabaseEnvironment {
  const schema = freshSchemaName();
  scope.after(async () => {
    for (const { name } of await queryPostgres(url, `SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE $1`, [`${schema}%`])) {
      await queryPostgres(url, `DROP SCHEMA IF EXISTS "${name}" CASCADE`);
    }
  });
  return { DATABASE_URL: url, PORTCULLIS_DATABASE_SCHEMA: schema };
}
