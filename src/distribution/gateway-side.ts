export type { ConfigurationApplier, SnapshotMeta } from './configuration-applier.ts';
export { authorityPin, readCertificates } from './authority-pin.ts';
export { type HealthReport, MAX_HEALTH_REPORT_BYTES, type ReportedNode } from './health-report.ts';
export { CertificateRefused, type OwnKeys, requestJoin, requestRenewal } from './join-client.ts';
export type { GrantedIdentity } from './join-messages.ts';
export { type JoinToken, parseJoinToken } from './join-token.ts';
export { Journal, type JournalOptions, type PreviousProcessEnd } from './journal.ts';
export { type ControlPlaneAddress, Subscriber, type SubscriberOptions } from './subscriber.ts';
export type { SubscriberIdentity } from './sync-client.ts';
