import type * as ControlPlane from '../../control-plane/index.ts';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Store, StoreHistory, StorePlace } from '../../store/index.ts';
import { type Configuration, takeSecretSettings } from '../configuration/index.ts';

/** The database that `DATABASE_URL` names, else the file in the data folder. Takes secrets out of the environment: to be called once. @throws StartError */
export async function placeOf(configuration: Configuration): Promise<StorePlace> {
  process.umask(0o077);
  // The driver reads some of them whatever it is told, and the control plane's process has none.
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]/.test(name)) delete process.env[name];
  const { databaseUrl } = takeSecretSettings(process.env);
  if (databaseUrl !== undefined) return { kind: 'postgres', options: { ...configuration.database, url: databaseUrl, patienceMs: 0 } };
  const { sqliteFileOf } = await import('../../control-plane/index.ts');
  return { kind: 'sqlite', file: sqliteFileOf(configuration.dataFolder) };
}

/**
 * Works on the store directly, beside a running control plane or without one: the one at `place`, else where `placeOf` finds it.
 *
 * @throws StartError when it cannot be opened, or no control plane has ever started in the folder.
 */
export async function withStore<Result>(
  configuration: Configuration,
  work: (store: Store & StoreHistory, controlPlane: typeof ControlPlane) => Promise<Result>,
  place?: StorePlace,
): Promise<Result> {
  const { dataFolder, keyringFile } = configuration;
  const found = place ?? (await placeOf(configuration));
  // Loaded here, so that the supervisor, which knows the same verbs, does not carry a control plane in its memory.
  const controlPlane = await import('../../control-plane/index.ts');
  if (found.kind === 'sqlite' && !controlPlane.hasSqliteStore(dataFolder)) {
    throw new StartError(
      `There is no store in ${dataFolder}: start Portcullis there first, name another folder with --data-dir, or a database with DATABASE_URL.`,
    );
  }
  const store = await controlPlane.openControlPlaneStore({
    dataFolder,
    keyringFile,
    database: found.kind === 'sqlite' ? undefined : found.options,
    clock: systemClock,
    random: systemRandom,
  });
  try {
    return await work(store, controlPlane);
  } finally {
    await store.close();
  }
}
