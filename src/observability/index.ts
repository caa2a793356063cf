export { type AccessLog, type AccessLogOptions, openAccessLog } from './access-log.ts';
export { createLogger, type LoggerOptions, type ProcessLogger } from './create-logger.ts';
export type { LogDestination } from './event-destination.ts';
export { type LogRotation, type LogRotationOptions, startLogRotation } from './log-rotation.ts';
export type { LogFields, Logger, LogLevel } from './logger.ts';
export {
  createStatusServer,
  type StatusAnswer,
  type StatusHandler,
  type StatusRequest,
  type StatusServer,
  type StatusServerOptions,
} from './status-server.ts';
