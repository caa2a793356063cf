import type * as ControlPlane from '../../control-plane/index.ts';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Store, StoreHistory, StoreKeys, StorePlace } from '../../store/index.ts';
import { type Configuration, type SecretSettings, takeSecretSettings } from '../configuration/index.ts';

/** Takes secrets, and all that the driver of PostgreSQL would read whatever it is told, out of the environment. What is made from now on is the owner's alone. */
export function takeStoreSecrets(): SecretSettings {
  process.umask(0o077);
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]/.test(name)) delete process.env[name];
  return takeSecretSettings(process.env);
}

/** The database that `DATABASE_URL` names, else the file in the data folder. Takes secrets out of the environment: to be called once. @throws StartError */
export async function placeOf(configuration: Configuration): Promise<StorePlace> {
  const { databaseUrl } = takeStoreSecrets();
  if (databaseUrl !== undefined) return { kind: 'postgres', options: { ...configuration.database, url: databaseUrl, patienceMs: 0 } };
  const { sqliteFileOf } = await import('../../control-plane/index.ts');
  return { kind: 'sqlite', file: sqliteFileOf(configuration.dataFolder) };
}

/** Says what takes long, beside the answer of a verb. */
export function tellOnTerminal(message: string): void {
  process.stderr.write(`${message}\n`);
}

/**
 * Works on the store directly, beside a running control plane or without one: the one at `place`, else where `placeOf` finds it.
 *
 * @throws StartError when it cannot be opened, or no control plane has ever started there: none is made.
 */
export async function withStore<Result>(
  configuration: Configuration,
  work: (store: Store & StoreHistory & StoreKeys, controlPlane: typeof ControlPlane) => Promise<Result>,
  place?: StorePlace,
): Promise<Result> {
  const { dataFolder, keyringFile } = configuration;
  const found = place ?? (await placeOf(configuration));
  // Loaded here, so that the supervisor, which knows the same verbs, does not carry a control plane in its memory.
  const controlPlane = await import('../../control-plane/index.ts');
  const { holdsPostgresStore, parseDatabaseUrl } = await import('../../store/index.ts');
  if (found.kind === 'sqlite' && !controlPlane.hasSqliteStore(dataFolder)) {
    throw new StartError(
      `There is no store in ${dataFolder}: start Portcullis there first, name another folder with --data-dir, or a database with DATABASE_URL.`,
    );
  }
  if (found.kind === 'postgres' && !(await holdsPostgresStore(found.options))) {
    throw new StartError(
      `There is no store in the schema "${found.options.schema}" of ${parseDatabaseUrl(found.options.url).description}: start Portcullis on it first, or correct DATABASE_URL or --database-schema.`,
    );
  }
  const store = await controlPlane.openControlPlaneStore({
    dataFolder,
    keyringFile,
    database: found.kind === 'sqlite' ? undefined : found.options,
    clock: systemClock,
    random: systemRandom,
    onProgress: tellOnTerminal,
  });
  try {
    return await work(store, controlPlane);
  } finally {
    await store.close();
  }
}
