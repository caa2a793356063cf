import type { HealthReport } from '../../distribution/gateway-side.ts';
import type { NodeSource } from '../discovery/index.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { type HealthBoard, HealthMonitor, HealthReporter } from '../health/index.ts';
import { createDialPolicy } from '../names/index.ts';
import { type TlsItems, UpstreamIdentities } from '../tls/index.ts';
import type { AgentMessage } from '../worker/worker-messages.ts';

/** What the agent has for a monitor. */
export interface HealthSurroundings {
  readonly board: HealthBoard;
  readonly nodes: NodeSource;
  /** The certificates in force. */
  readonly tlsItems: Pick<TlsItems, 'get'>;
  readonly broadcast: (message: AgentMessage) => void;
  /** Lets people know. */
  readonly report: (report: HealthReport) => void;
}

/** The monitor of an instance: what it asks passes the address policy as requests do, and what it finds reaches all workers. */
export function createHealthMonitor(
  options: GatewayOptions,
  { board, nodes, tlsItems, broadcast, report }: HealthSurroundings,
): HealthMonitor {
  const { clock, random, log, protectedPorts, dial } = options;
  const reporter = new HealthReporter({ clock, upstreams: () => monitor.upstreams, send: report });
  const identities = new UpstreamIdentities({
    // Each check asks anew: nobody watches.
    items: { get: (key) => tlsItems.get(key), watch: () => {}, unwatch: () => {} },
    verifiesByDefault: false,
    onFailed: () => {},
    // Workers tell it, once for each change.
    onProblem: () => {},
  });
  const monitor = new HealthMonitor({
    board,
    nodes,
    identityOf: (owner, settings) => identities.identityOf(owner, settings),
    mayDial: createDialPolicy({ protectedPorts, ...dial }),
    clock,
    random,
    log,
    onChange: () => reporter.noteChange(),
    tell: (put, removed) => broadcast({ kind: 'health', put, removed }),
  });
  return monitor;
}
