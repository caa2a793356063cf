export { EndpointHealth } from './endpoint-health.ts';
export { HealthBoard } from './health-board.ts';
export { HealthBook, type HealthEntry, healthKey } from './health-book.ts';
export { HealthMonitor, type MonitoredUpstream, upstreamHealthKey } from './health-monitor.ts';
export { HealthReporter } from './health-reporter.ts';
export { healthView, type NodeState, nodeStates } from './health-view.ts';
export type { HealthReport } from './node-health.ts';
