export { UsageCollector } from './usage-collector.ts';
export { UsageCounter } from './usage-counter.ts';
export type { UsageHandles } from './usage-handles.ts';
