export type { ConfigurationApplier, SnapshotMeta } from './configuration-applier.ts';
export { SnapshotFollower } from './exported/snapshot-follower.ts';
export type { SnapshotPlace } from './exported/snapshot-place.ts';
export { SnapshotTaker } from './exported/snapshot-taker.ts';
export { type HealthReport, MAX_HEALTH_REPORT_BYTES, type ReportedNode } from './health-report.ts';
export { Journal, type JournalOptions, type PreviousProcessEnd } from './journal.ts';
export { parseSnapshotKey } from './snapshot-key.ts';
export { Subscriber, type SubscriberOptions } from './subscriber.ts';
export type { SubscriberIdentity } from './sync-client.ts';
