import type { JsonObject } from '../../lib/json.ts';
import type { PluginLog } from '../plugin-setup.ts';

/** One line as a plugin wrote it. */
export interface PluginLogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: JsonObject;
  readonly error: unknown;
}

/** Keeps every line. */
export class TestLog implements PluginLog {
  readonly lines: PluginLogLine[] = [];

  info(message: string, fields: JsonObject = {}): void {
    this.lines.push({ level: 'info', message, fields, error: undefined });
  }

  warn(message: string, fields: JsonObject = {}): void {
    this.lines.push({ level: 'warn', message, fields, error: undefined });
  }

  error(message: string, fields: JsonObject = {}, error?: unknown): void {
    this.lines.push({ level: 'error', message, fields, error });
  }
}
