export type { RequestAdmission } from './admission.ts';
export { readDescriptorLimit } from './descriptor-limit.ts';
export { deriveDatagramSessions, deriveLimits, exceedsDescriptors, type InstanceLimits, type LimitSettings } from './instance-limits.ts';
export { type InstanceLoad, type LoadHandles, LoadTables } from './load-tables.ts';
export { WorkerLoad } from './worker-load.ts';
