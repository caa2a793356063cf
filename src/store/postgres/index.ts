export { isInClear, parseDatabaseUrl } from './database-url.ts';
export { holdsPostgresStore } from './holds-postgres-store.ts';
export { loadAndOpen as openPostgresStore } from './load-and-open.ts';
export type { PostgresStoreOptions } from './postgres-store.ts';
