export { type AccessLog, type AccessLogOptions, openAccessLog } from './access-log.ts';
export { createLogger, type LoggerOptions, type ProcessLogger } from './create-logger.ts';
export type { LogDestination } from './event-destination.ts';
export { headOf, histogramLines, labelsText, type MetricKind, type MetricShape, sampleLine } from './exposition-text.ts';
export { type LogRotation, type LogRotationOptions, startLogRotation } from './log-rotation.ts';
export type { LogFields, Logger, LogLevel } from './logger.ts';
export { type MetricReading, MetricRegistry } from './metric-registry.ts';
export { MetricsPage, type MetricsText } from './metrics-page.ts';
export { MetricsServer } from './metrics-server.ts';
export {
  createStatusServer,
  type StatusAnswer,
  type StatusHandler,
  type StatusRequest,
  type StatusServer,
  type StatusServerOptions,
} from './status-server.ts';
