export { compareVersions, describeDifference, patchOperation, type VersionDifference } from './compare-versions.ts';
export type { EndedCredential } from './ended-credentials.ts';
export { type CurrentState, planRestore, type RestoreOptions, type RestorePlan } from './plan-restore.ts';
