export { backUpStore } from './back-up-store.ts';
export type { BroughtBack } from './brought-back.ts';
export type { DescribeRestoredRecord } from './brought-back-records.ts';
export type { SessionSetting } from './lead-on.ts';
export { type MigratedStore, migrateStore } from './migrate-store.ts';
export { keyringOfBackup, type RestoredStore, type RestoreRules, restoreStore } from './restore-store.ts';
export type { StorePlace } from './store-place.ts';
