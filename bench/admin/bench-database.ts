import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of this run on somebody's PostgreSQL server. */
export interface BenchDatabase {
  readonly url: string;
  /** Removes it with all that is in it. */
  drop(): Promise<void>;
}

/** Makes an empty database on the server that `serverURL` names. @throws Error where its user may not make one */
export async function makeBenchDatabase(serverURL: string): Promise<BenchDatabase> {
  const name = `portcullis_bench_${randomBytes(6).toString('hex')}`;
  await ask(serverURL, `CREATE DATABASE ${name}`);
  const url = new URL(serverURL);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => ask(serverURL, `DROP DATABASE ${name} WITH (FORCE)`) };
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
