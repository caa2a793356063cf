import type { LogFields, Logger, LogLevel } from '../src/observability/logger.ts';

/** One line as it was logged. */
export interface RecordedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
  readonly error: unknown;
}

/** Keeps every line, so that a test can say what was logged and that no secret was. */
export class RecordingLogger implements Logger {
  readonly lines: RecordedLine[];
  readonly #base: LogFields;

  constructor(base: LogFields = {}, lines: RecordedLine[] = []) {
    this.#base = base;
    this.lines = lines;
  }

  debug(message: string, fields?: LogFields): void {
    this.#add('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#add('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#add('warn', message, fields);
  }

  error(message: string, fields?: LogFields, error?: unknown): void {
    this.#add('error', message, fields, error);
  }

  child(fields: LogFields): Logger {
    return new RecordingLogger({ ...this.#base, ...fields }, this.lines);
  }

  #add(level: LogLevel, message: string, fields: LogFields = {}, error?: unknown): void {
    this.lines.push({ level, message, fields: { ...this.#base, ...fields }, error });
  }
}
