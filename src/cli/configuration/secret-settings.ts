import { readFileSync } from 'node:fs';
import { StartError } from '../../errors/index.ts';
import { messageOf } from '../../lib/message-of.ts';

/** Secrets have no flag and no place in the file: a variable, or `NAME_FILE` that names a file. */
export const SECRET_SETTINGS = [
  {
    name: 'DATABASE_URL',
    meaning:
      'PostgreSQL as the store, `postgres://user:password@host:5432/database?sslmode=verify-full`; without it SQLite in the data folder',
  },
  {
    name: 'PORTCULLIS_TARGET_DATABASE_URL',
    meaning: 'PostgreSQL that `portcullis migrate` copies the store to, when it is not `DATABASE_URL`',
  },
  { name: 'PORTCULLIS_BOOTSTRAP_TOKEN', meaning: 'First API token (16 to 256 printable characters); used at the first start only' },
  {
    name: 'PORTCULLIS_JOIN_TOKEN',
    meaning: 'Join token of a gateway that runs alone and has no identity yet; instead of `--join-token-file`',
  },
  { name: 'PORTCULLIS_ADMIN_PASSWORD', meaning: 'First password of the user `admin`; used at the first start only' },
  {
    name: 'PORTCULLIS_SNAPSHOT_KEY',
    meaning: 'Opens exported snapshots of one gateway group; `portcullis snapshot key` shows it. For gateways with `--snapshot`',
  },
  { name: 'PORTCULLIS_S3_ACCESS_KEY_ID', meaning: 'Access key of the store that `--snapshot-export-to s3://…` names' },
  { name: 'PORTCULLIS_S3_SECRET_ACCESS_KEY', meaning: 'Its secret' },
] as const;

/** What the control plane is told and nobody else. */
export interface SecretSettings {
  /** Undefined: SQLite in the data folder. */
  readonly databaseUrl: string | undefined;
  /** Where `migrate` copies to; undefined: to `databaseUrl`. */
  readonly targetDatabaseUrl: string | undefined;
  readonly bootstrapToken: string | undefined;
  readonly adminPassword: string | undefined;
  /** Of a gateway. Its file is `--join-token-file`, which is read only where it is needed: it may be gone when it was used. */
  readonly joinToken: string | undefined;
  /** For the gateway alone. */
  readonly snapshotKey: string | undefined;
  readonly s3AccessKeyId: string | undefined;
  readonly s3SecretAccessKey: string | undefined;
}

type Environment = Record<string, string | undefined>;

/**
 * Takes the secrets out of `environment`, so that no child inherits them by accident. One trailing line break of a file is dropped.
 *
 * @throws StartError when both forms are set or the file cannot be read.
 */
export function takeSecretSettings(environment: Environment): SecretSettings {
  const joinToken = environment.PORTCULLIS_JOIN_TOKEN;
  delete environment.PORTCULLIS_JOIN_TOKEN;
  delete environment.PORTCULLIS_JOIN_TOKEN_FILE;
  return {
    joinToken: joinToken === '' ? undefined : joinToken,
    databaseUrl: take(environment, 'DATABASE_URL'),
    targetDatabaseUrl: take(environment, 'PORTCULLIS_TARGET_DATABASE_URL'),
    bootstrapToken: take(environment, 'PORTCULLIS_BOOTSTRAP_TOKEN'),
    adminPassword: take(environment, 'PORTCULLIS_ADMIN_PASSWORD'),
    snapshotKey: take(environment, 'PORTCULLIS_SNAPSHOT_KEY'),
    s3AccessKeyId: take(environment, 'PORTCULLIS_S3_ACCESS_KEY_ID'),
    s3SecretAccessKey: take(environment, 'PORTCULLIS_S3_SECRET_ACCESS_KEY'),
  };
}

function take(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  const file = environment[`${name}_FILE`];
  delete environment[name];
  delete environment[`${name}_FILE`];
  if (value !== undefined && file !== undefined) throw new StartError(`Set ${name} or ${name}_FILE, not both.`);
  if (file === undefined) return value === '' ? undefined : value;
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new StartError(`The file named by ${name}_FILE cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}
