import type { HealthThresholds } from '../../schema/index.ts';

/** What one check, or one request of a client, says of a node. */
export type HealthReport = 'success' | 'http_failure' | 'tcp_failure' | 'timeout_failure';

/** In APISIX's words; a node that is `mostly_healthy` is used as one that is healthy. */
export type HealthState = 'healthy' | 'mostly_healthy' | 'mostly_unhealthy' | 'unhealthy';

/** Reports in a row of each kind. A success sets those of failures to 0, a failure that of successes. */
export type HealthCounters = Readonly<Record<HealthReport, number>>;

const NOTHING_COUNTED: HealthCounters = { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 };

/**
 * What a node is taken for, by the rules of lua-resty-healthcheck, which APISIX and API7 use: it begins as healthy, falls when the reports of
 * one kind of failure reach their threshold without a success between them, and rises when successes do without a failure. What says
 * nothing new (a success of one that is healthy) is not counted.
 */
export class NodeHealth {
  #state: HealthState = 'healthy';
  #counters: HealthCounters = NOTHING_COUNTED;

  get state(): HealthState {
    return this.#state;
  }

  get counters(): HealthCounters {
    return this.#counters;
  }

  /** No request should go there while another node is up. */
  get isDown(): boolean {
    return this.#state === 'unhealthy' || this.#state === 'mostly_unhealthy';
  }

  /** Takes one report; the thresholds are those of whoever reports. */
  report(report: HealthReport, thresholds: HealthThresholds): void {
    const threshold = thresholdOf(report, thresholds);
    const leadsTo = report === 'success' ? 'healthy' : 'unhealthy';
    if (threshold === 0 || this.#state === leadsTo) return;
    const count = this.#counters[report] + 1;
    this.#counters = report === 'success' ? { ...NOTHING_COUNTED, success: count } : { ...this.#counters, success: 0, [report]: count };
    if (count >= threshold) this.#state = leadsTo;
    else if (this.#state === 'healthy') this.#state = 'mostly_healthy';
    else if (this.#state === 'unhealthy') this.#state = 'mostly_unhealthy';
  }
}

function thresholdOf(report: HealthReport, thresholds: HealthThresholds): number {
  switch (report) {
    case 'success':
      return thresholds.successes;
    case 'http_failure':
      return thresholds.httpFailures;
    case 'tcp_failure':
      return thresholds.tcpFailures;
    case 'timeout_failure':
      return thresholds.timeouts;
  }
}
