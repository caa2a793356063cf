import type { SqlRunner } from './sql-runner.ts';

/** Of users: who was removed since, whose password and whose access was changed since. */
export interface BroughtBackPeople {
  readonly users: readonly string[];
  readonly passwords: readonly string[];
  readonly access: readonly string[];
}

interface ChangedUserRow {
  readonly username: string;
  readonly has_identity: number;
  readonly come: string;
  readonly gone: string;
}

/** Roles came with this version of the schema; before it everybody might do everything. */
const SCHEMA_OF_ROLES = 2;

/** Compares the users of a restored store with those of the one that it replaces. */
export async function broughtBackPeople(sql: SqlRunner, replaced: string, schema: number): Promise<BroughtBackPeople> {
  const users = await sql.all<{ username: string }>(
    `SELECT come.username FROM users AS come WHERE come.id NOT IN (SELECT gone.id FROM ${replaced}.users AS gone) ORDER BY come.username`,
  );
  const passwords = await sql.all<{ username: string }>(
    `SELECT come.username FROM users AS come JOIN ${replaced}.users AS gone ON gone.id = come.id
     WHERE gone.password_hash <> come.password_hash ORDER BY come.username`,
  );
  const changed =
    schema < SCHEMA_OF_ROLES
      ? []
      : await sql.all<ChangedUserRow>(
          `SELECT come.username, come.details AS come, gone.details AS gone,
             CASE WHEN coalesce(come.external_id, '') <> coalesce(gone.external_id, '') THEN 1 ELSE 0 END AS has_identity
           FROM users AS come JOIN ${replaced}.users AS gone ON gone.id = come.id ORDER BY come.username`,
        );
  return {
    users: users.map(({ username }) => username),
    passwords: passwords.map(({ username }) => username),
    access: changed.filter((row) => row.has_identity === 1 || rightsOf(row.come) !== rightsOf(row.gone)).map(({ username }) => username),
  };
}

/** The profile beside them grants nothing. */
function rightsOf(details: string): string {
  const { roles = [], boundary = [] }: { readonly roles?: readonly string[]; readonly boundary?: readonly string[] } = JSON.parse(details);
  return JSON.stringify([[...roles].sort(), [...boundary].sort()]);
}
