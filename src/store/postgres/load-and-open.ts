import type { openPostgresStore } from './postgres-store.ts';

/** As `openPostgresStore`, but the driver is loaded now: a store in a file does without its 14 MB. */
export const loadAndOpen: typeof openPostgresStore = async (options) => {
  const driver = await import('./postgres-store.ts');
  return driver.openPostgresStore(options);
};
