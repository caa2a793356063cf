import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Listener } from '../../lib/listener.ts';
import { type Logger, MetricsPage, MetricsServer } from '../../observability/index.ts';
import { InstanceMetrics } from './instance-metrics.ts';

/** APISIX's path. */
export const METRICS_PATH = '/apisix/prometheus/metrics';

/** What an export is made of. */
export interface MetricsExportOptions {
  /** Worker threads that may be there at once. */
  readonly rows: number;
  readonly listeners: readonly Listener[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly yieldTurn: () => Promise<void>;
}

/** The metrics of an instance, and the server that gives them to whoever scrapes them. */
export class MetricsExport {
  readonly metrics: InstanceMetrics;
  readonly #listeners: readonly Listener[];
  readonly #server: MetricsServer;
  #ports: readonly number[] = [];

  constructor({ rows, listeners, clock, log, yieldTurn }: MetricsExportOptions) {
    this.metrics = new InstanceMetrics(rows);
    this.#listeners = listeners;
    const page = new MetricsPage({ pieces: () => this.metrics.pieces(), clock, yieldTurn });
    this.#server = new MetricsServer({ path: METRICS_PATH, listeners, read: () => page.read(), clock, log });
  }

  /** The port of each listener; empty before it listens. */
  get ports(): readonly number[] {
    return this.#ports;
  }

  /** @throws StartError when a listener cannot be had; nothing listens then */
  async listen(): Promise<void> {
    try {
      this.#ports = await this.#server.listen();
    } catch (error) {
      const places = this.#listeners.map(({ host, port }) => `${host}:${port}`).join(', ');
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new StartError(`The metrics address ${places} cannot be listened on (${code}).`, { cause: error });
    }
  }

  /** Accepts nothing new; open connections go on. */
  stopAccepting(): void {
    this.#server.stopAccepting();
  }

  /** Accepts nothing new, cuts what is open. */
  close(): Promise<void> {
    return this.#server.close();
  }
}
