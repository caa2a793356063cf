export { type ChainEnd, decodeChainEnd } from './audit-chain.ts';
export type {
  AuditPlace,
  AuditQuery,
  GroupRevision,
  HistoryReader,
  LastChange,
  NumberedAuditEntry,
  ResourceVersion,
  SizeStep,
  StoreHistory,
  VersionHead,
} from './history.ts';
export { type Keyring, openKeyring } from './keyring.ts';
export { isInClear, openPostgresStore, type PostgresStoreOptions, parseDatabaseUrl } from './postgres/index.ts';
export { openSqliteStore } from './sqlite/index.ts';
export {
  type ApiToken,
  type AuditEntry,
  type Author,
  type ChangeOrigin,
  type Foresight,
  type GatewayGroup,
  isConflict,
  type ListOrder,
  type ListPart,
  type ReadOptions,
  type RecordWrite,
  type ResourceChange,
  type ResourceKey,
  type ResourceQuery,
  type ResourceSelection,
  type ResourceWrite,
  RevisionConflict,
  type RevisionHints,
  type SecretSelection,
  type SelectedResources,
  SharedConflict,
  type SharedValue,
  type Store,
  type StoredRecord,
  type StoredResource,
  type StoreReader,
  type StoreTransaction,
  UniqueConflict,
  type UniqueValue,
  type User,
} from './store.ts';
export { type ChainBreak, type ChainReport, verifyAuditChain } from './verify-audit-chain.ts';
