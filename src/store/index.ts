export { type ChainEnd, decodeChainEnd, encodeChainEnd } from './audit-chain.ts';
export { isConflict, RevisionConflict, SharedConflict, UniqueConflict } from './conflicts.ts';
export { createDurably } from './create-durably.ts';
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
export type { InstanceMemory, InstanceRegistry, InstanceReport, RegisteredInstance, RememberedInstance } from './instance-registry.ts';
export { joinKeyrings } from './join-keyrings.ts';
export { type Keyring, openKeyring } from './keyring.ts';
export { replaceKeyringFile } from './keyring-file.ts';
export {
  type AddedKey,
  addKey,
  type ChangeKeysOptions,
  type KeySurvey,
  type KeyUse,
  type PlaneKeys,
  type ReEncrypted,
  type ReEncryptionListener,
  type Rotation,
  reEncrypt,
  retireKey,
  rotateKey,
  type StoreKeys,
  surveyKeys,
} from './keys/index.ts';
export {
  type BroughtBack,
  backUpStore,
  type DescribeRestoredRecord,
  keyringOfBackup,
  type MigratedStore,
  migrateStore,
  type RestoredStore,
  type RestoreRules,
  restoreStore,
  type SessionSetting,
  type StorePlace,
} from './portable/index.ts';
export { holdsPostgresStore, isInClear, openPostgresStore, type PostgresStoreOptions, parseDatabaseUrl } from './postgres/index.ts';
export { type FileLock, openSqliteStore, takeFileLock } from './sqlite/index.ts';
export type {
  ApiToken,
  AuditEntry,
  Author,
  ChangeOrigin,
  ConnectionUse,
  Foresight,
  GatewayGroup,
  ListOrder,
  ListPart,
  ListPlaces,
  ReadOptions,
  RecordWrite,
  ResourceChange,
  ResourceKey,
  ResourceQuery,
  ResourceSelection,
  ResourceWrite,
  RevisionHints,
  SecretSelection,
  SelectedResources,
  SharedValue,
  Store,
  StoredRecord,
  StoredResource,
  StoreReader,
  StoreTransaction,
  UniqueValue,
  User,
} from './store.ts';
export {
  type CredentialPlace,
  type LastUse,
  MAX_USAGE_REQUESTS,
  type StoreUsage,
  USAGE_DIMENSIONS,
  USAGE_SPANS,
  type UsageDimension,
  type UsageQuery,
  type UsageRow,
  type UsageSpan,
  type UsageStore,
  type UsageSum,
} from './usage.ts';
export { UsageInDoubt } from './usage-in-doubt.ts';
export { type ChainBreak, type ChainReport, verifyAuditChain } from './verify-audit-chain.ts';
