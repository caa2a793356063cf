/** Structured fields of a log line. No secrets, no client-controlled text that was not escaped. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes events as JSON lines. One logger per process; `child` adds fields to every line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** `error` adds its name, message, stack and causes to the line. */
  error(message: string, fields?: LogFields, error?: unknown): void;
  child(fields: LogFields): Logger;
}
