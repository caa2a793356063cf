export { isInClear, parseDatabaseUrl } from './database-url.ts';
export { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
