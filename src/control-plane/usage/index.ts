export { startUsagePruner } from './start-usage-pruner.ts';
export { startUsageRecorder, type UsageRecorder } from './start-usage-recorder.ts';
