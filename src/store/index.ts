export { type Keyring, openKeyring } from './keyring.ts';
export { isInClear, openPostgresStore, type PostgresStoreOptions, parseDatabaseUrl } from './postgres/index.ts';
export { openSqliteStore } from './sqlite/index.ts';
export {
  type ApiToken,
  type AuditEntry,
  type Author,
  type GatewayGroup,
  type NumberedAuditEntry,
  type ReadOptions,
  type ResourceChange,
  type ResourceKey,
  type ResourceQuery,
  type ResourceVersion,
  type ResourceWrite,
  RevisionConflict,
  type RevisionHints,
  type SecretSelection,
  SharedConflict,
  type SharedValue,
  type Store,
  type StoredResource,
  type StoreHistory,
  type StoreReader,
  type StoreTransaction,
  UniqueConflict,
  type UniqueValue,
  type User,
} from './store.ts';
