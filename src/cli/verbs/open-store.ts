import type * as ControlPlane from '../../control-plane/index.ts';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Store, StoreHistory } from '../../store/index.ts';
import { type Configuration, takeSecretSettings } from '../configuration/index.ts';

/**
 * Works on the store directly, beside a running control plane or without one: the database that `DATABASE_URL` names, else the one in
 * the data folder.
 *
 * @throws StartError when it cannot be opened, or no control plane has ever started in the folder.
 */
export async function withStore<Result>(
  configuration: Configuration,
  work: (store: Store & StoreHistory, controlPlane: typeof ControlPlane) => Promise<Result>,
): Promise<Result> {
  process.umask(0o077);
  // The driver reads some of them whatever it is told, and the control plane's process has none.
  for (const name of Object.keys(process.env)) if (/^PG[A-Z]/.test(name)) delete process.env[name];
  const { dataFolder, keyringFile } = configuration;
  const { databaseUrl } = takeSecretSettings(process.env);
  // Loaded here, so that the supervisor, which knows the same verbs, does not carry a control plane in its memory.
  const controlPlane = await import('../../control-plane/index.ts');
  if (databaseUrl === undefined && !controlPlane.hasSqliteStore(dataFolder)) {
    throw new StartError(
      `There is no store in ${dataFolder}: start Portcullis there first, name another folder with --data-dir, or a database with DATABASE_URL.`,
    );
  }
  const store = await controlPlane.openControlPlaneStore({
    dataFolder,
    keyringFile,
    database: databaseUrl === undefined ? undefined : { ...configuration.database, url: databaseUrl, patienceMs: 0 },
    clock: systemClock,
    random: systemRandom,
  });
  try {
    return await work(store, controlPlane);
  } finally {
    await store.close();
  }
}
