import type { Clock } from '../../lib/clock.ts';
import type { LogFields, Logger } from '../../observability/logger.ts';
import type { PluginLog, PluginLogFields } from '../../plugin-kit/index.ts';

/** The same message of a plugin comes at most this often; what came between is counted in the next. */
const LEAST_MS = 1000;

interface Said {
  atMs: number;
  leftOut: number;
}

/** Messages of a plugin that are remembered: plugins write a few fixed texts. */
const MAX_MESSAGES = 100;

/** A log whose lines name the plugin. A plugin that says the same of every request does not flood it. */
export class NamedPluginLog implements PluginLog {
  readonly #plugin: string;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #said = new Map<string, Said>();

  constructor(plugin: string, log: Logger, clock: Clock) {
    this.#plugin = plugin;
    this.#log = log;
    this.#clock = clock;
  }

  info(message: string, fields?: PluginLogFields): void {
    const own = this.#fieldsOf(message, fields);
    if (own !== undefined) this.#log.info(message, own);
  }

  warn(message: string, fields?: PluginLogFields): void {
    const own = this.#fieldsOf(message, fields);
    if (own !== undefined) this.#log.warn(message, own);
  }

  error(message: string, fields?: PluginLogFields, error?: unknown): void {
    const own = this.#fieldsOf(message, fields);
    if (own !== undefined) this.#log.error(message, own, error);
  }

  /** Undefined where the line is left out. */
  #fieldsOf(message: string, fields: PluginLogFields = {}): LogFields | undefined {
    const nowMs = this.#clock.monotonicMs();
    const said = this.#said.get(message);
    if (said !== undefined && nowMs - said.atMs < LEAST_MS) {
      said.leftOut++;
      return undefined;
    }
    if (this.#said.size >= MAX_MESSAGES) this.#said.clear();
    this.#said.set(message, { atMs: nowMs, leftOut: 0 });
    const leftOut = said === undefined || said.leftOut === 0 ? {} : { left_out: said.leftOut };
    return { plugin: this.#plugin, ...fields, ...leftOut };
  }
}
