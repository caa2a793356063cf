export { ControlPlaneMetrics } from './control-plane-metrics.ts';
export { startMetrics } from './start-metrics.ts';
