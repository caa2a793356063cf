export type { ConfigurationApplier, SnapshotMeta } from './configuration-applier.ts';
export { type HealthReport, MAX_HEALTH_REPORT_BYTES, type ReportedNode } from './health-report.ts';
export { Journal, type JournalOptions, type PreviousProcessEnd } from './journal.ts';
export { Subscriber, type SubscriberOptions } from './subscriber.ts';
export type { SubscriberIdentity } from './sync-client.ts';
