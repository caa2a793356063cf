import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { CounterMetric } from '../metrics.ts';
import type { PluginLog } from '../plugin-setup.ts';

const SHORTEST_PAUSE_MS = 1000;

/** Counts entries that are lost, and says so in the log, at most once a second. */
export class DroppedEntries {
  readonly #clock: Clock;
  readonly #log: PluginLog;
  readonly #metric: CounterMetric;
  readonly #plugin: string;
  #untold = 0;
  #lastReason = '';
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #cancelTelling: CancelTask | undefined;

  constructor(plugin: string, clock: Clock, log: PluginLog, metric: CounterMetric) {
    this.#plugin = plugin;
    this.#clock = clock;
    this.#log = log;
    this.#metric = metric;
  }

  /** `reason` names no secret. */
  add(entries: number, reason: string): void {
    this.#metric.add([this.#plugin], entries);
    this.#untold += entries;
    this.#lastReason = reason;
    const pauseMs = this.#toldAtMs + SHORTEST_PAUSE_MS - this.#clock.monotonicMs();
    if (pauseMs <= 0) this.#tell();
    else this.#cancelTelling ??= this.#clock.schedule(pauseMs, () => this.#tell());
  }

  #tell(): void {
    this.#cancelTelling?.();
    this.#cancelTelling = undefined;
    if (this.#untold === 0) return;
    this.#toldAtMs = this.#clock.monotonicMs();
    this.#log.warn('entries are lost', { entries: this.#untold, why: this.#lastReason });
    this.#untold = 0;
  }
}
