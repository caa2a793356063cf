export type { InstanceAdmission } from './admitted-peers.ts';
export { authorityPin, readCertificates } from './authority-pin.ts';
export {
  type CertificatePair,
  createAuthority,
  createSelfSignedCertificate,
  crossCertify,
  INSTANCE_LIFETIME_DAYS,
  type IssuedCertificate,
  issueInstanceCertificate,
  issueServerCertificate,
  type ServerCertificateRequest,
} from './certificate-authority.ts';
export type { ConfigurationApplier, SnapshotMeta } from './configuration-applier.ts';
export type { InstanceState, InstanceStatus } from './connected-instance.ts';
export { createSnapshotWriter, type SnapshotWriter, snapshotKeyOf } from './exported/create-snapshot-writer.ts';
export { decodeSnapshotHeader, encodeSnapshotHeader, SNAPSHOT_HEADER_BYTES, type SnapshotHeader } from './exported/snapshot-header.ts';
export type { AppliedRevision, Refusal } from './group-channel.ts';
export type { ConfigurationHistory } from './history-sessions.ts';
export type { InstanceName } from './instance-name.ts';
export type { GrantedIdentity, JoinRequest, RenewRequest } from './join-messages.ts';
export { type Enrollment, RENEWAL_GRACE_MS } from './join-server.ts';
export { formatJoinToken } from './join-token.ts';
export { isPossessionProven, joinStatement, keyDigest, renewStatement } from './key-possession.ts';
export { leadOnAfterLoss } from './lead-on-after-loss.ts';
export { MemoryInstanceRegistry } from './memory-instance-registry.ts';
export { appendSession, openHistory, SESSIONS_SETTING } from './open-history.ts';
export { Publisher } from './publisher.ts';
export type { PublisherEvents } from './publisher-events.ts';
export type { PublisherOptions, UsageTaker } from './publisher-options.ts';
export { RememberingInstanceRegistry } from './remembering-instance-registry.ts';
export { createSigningKey } from './signing.ts';
export { formatSnapshotKey, SNAPSHOT_KEY_BYTES, type SnapshotKey } from './snapshot-key.ts';
export type { SnapshotPlugin } from './snapshot-plugins.ts';
export type { SyncTls } from './sync-server.ts';
export { asOther, MAX_USAGE_ENTRIES_PER_BATCH, OTHER, type UsageEntry, type UsageReport, usageEntryOf } from './usage-report.ts';
export type { VerifiedInstance } from './verify-instance-certificate.ts';
