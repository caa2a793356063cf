import { type HealthReport, MAX_HEALTH_REPORT_BYTES, type ReportedNode } from '../../distribution/gateway-side.ts';
import type { Clock } from '../../lib/clock.ts';
import type { CheckedUpstream } from './checked-upstream.ts';

/** What a reporter is made with. */
export interface HealthReporterOptions {
  readonly clock: Clock;
  readonly upstreams: () => Iterable<CheckedUpstream>;
  readonly send: (report: HealthReport) => void;
}

/** Changes of this time make one report. */
const GATHER_MS = 1000;

/** Tells what nodes are taken for whenever that changes, at most once a second. */
export class HealthReporter {
  readonly #options: HealthReporterOptions;
  #isPending = false;

  constructor(options: HealthReporterOptions) {
    this.#options = options;
  }

  /** Something has changed. */
  noteChange(): void {
    if (this.#isPending) return;
    this.#isPending = true;
    this.#options.clock.schedule(GATHER_MS, () => {
      this.#isPending = false;
      this.#options.send(healthReport(this.#options.upstreams()));
    });
  }
}

/** The nodes of these upstreams, those that are down first; what has no room in one message is only counted. */
export function healthReport(upstreams: Iterable<CheckedUpstream>): HealthReport {
  const down: ReportedNode[] = [];
  const others: ReportedNode[] = [];
  for (const { serviceId, upstreamId, nodes } of upstreams) {
    for (const { hostName, address, port, health } of nodes.values()) {
      const named = upstreamId === undefined ? { serviceId } : { serviceId, upstreamId };
      (health.isDown ? down : others).push({ ...named, host: hostName, address, port, state: health.state });
    }
  }
  const nodes: ReportedNode[] = [];
  const all = [...down, ...others];
  let bytes = 64;
  for (const node of all) {
    bytes += Buffer.byteLength(JSON.stringify(node)) + 1;
    if (bytes > MAX_HEALTH_REPORT_BYTES) break;
    nodes.push(node);
  }
  return { nodes, omitted: all.length - nodes.length };
}
