export { HTTP_REQUESTS } from './http-requests.ts';
export { registerInstanceGauges } from './instance-gauges.ts';
export { type GaugeReading, InstanceMetrics, type ReadGauge } from './instance-metrics.ts';
export { LoopLag } from './loop-lag.ts';
export { MetricsExport } from './metrics-export.ts';
export type { MetricsHandles } from './metrics-handles.ts';
export { WorkerMetrics } from './worker-metrics.ts';
