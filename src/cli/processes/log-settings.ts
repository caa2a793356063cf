import { createLogger, type Logger, type LogLevel } from '../../observability/index.ts';

/** Where a process writes its events. */
export interface LogSettings {
  /** Null: standard error. */
  readonly file: string | null;
  readonly level: LogLevel;
}

/** The logger of one process; a file that it makes belongs to `owner`. */
export function openLog(settings: LogSettings, processName: string, owner?: { readonly uid: number; readonly gid: number }): Logger {
  return createLogger({
    destination:
      settings.file === null ? { kind: 'stderr' } : { kind: 'file', file: settings.file, ...(owner === undefined ? {} : { owner }) },
    level: settings.level,
    base: { process: processName, pid: process.pid },
  });
}
