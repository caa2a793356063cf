export { type MigratedStore, migrateStore } from './migrate-store.ts';
