export { createApiToken, resetPassword } from './auth/index.ts';
export type { ControlPlaneOptions, RunningControlPlane } from './control-plane-options.ts';
export { type CreateInstanceCertificateOptions, createInstanceCertificate } from './create-instance-certificate.ts';
export { FOUNDING_ACTION } from './first-start.ts';
export { type ChangeAuthoritiesOptions, retireFormerAuthority, rotateAuthorities } from './joining/index.ts';
export { hasSqliteStore, openControlPlaneStore, sqliteFileOf } from './open-control-plane-store.ts';
export { describeRestoredRecord, KINDS_ENDED_BY_RESTORE } from './restored-records.ts';
export { exportSnapshot, showSnapshotKey } from './snapshot-export/index.ts';
export { startControlPlane } from './start-control-plane.ts';
