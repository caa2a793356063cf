import { existsSync } from 'node:fs';
import path from 'node:path';
import type * as ControlPlane from '../../control-plane/index.ts';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Store, StoreHistory } from '../../store/index.ts';
import type { Configuration } from '../configuration/index.ts';

/**
 * Works on the store of a data folder directly, beside a running control plane or without one.
 *
 * @throws StartError when no control plane has ever started there.
 */
export async function withStore<Result>(
  configuration: Configuration,
  work: (store: Store & StoreHistory, controlPlane: typeof ControlPlane) => Promise<Result>,
): Promise<Result> {
  process.umask(0o077);
  if (!existsSync(path.join(configuration.dataFolder, 'store.sqlite'))) {
    throw new StartError(
      `There is no store in ${configuration.dataFolder}: start Portcullis there first, or name another folder with --data-dir.`,
    );
  }
  // Loaded here, so that the supervisor, which knows the same verbs, does not carry a control plane in its memory.
  const controlPlane = await import('../../control-plane/index.ts');
  const store = await controlPlane.openControlPlaneStore({
    dataFolder: configuration.dataFolder,
    keyringFile: configuration.keyringFile,
    clock: systemClock,
    random: systemRandom,
  });
  try {
    return await work(store, controlPlane);
  } finally {
    await store.close();
  }
}
