import type { HealthReport } from '../../distribution/gateway-side.ts';
import type { NodeSource } from '../discovery/index.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { type HealthBoard, HealthMonitor, HealthReporter } from '../health/index.ts';
import { createDialPolicy } from '../names/index.ts';
import type { AgentMessage } from '../worker/worker-messages.ts';

/** What the agent has for a monitor. */
export interface HealthSurroundings {
  readonly board: HealthBoard;
  readonly nodes: NodeSource;
  readonly broadcast: (message: AgentMessage) => void;
  /** Lets people know. */
  readonly report: (report: HealthReport) => void;
}

/** The monitor of an instance: what it asks passes the address policy as requests do, and what it finds reaches all workers. */
export function createHealthMonitor(options: GatewayOptions, { board, nodes, broadcast, report }: HealthSurroundings): HealthMonitor {
  const { clock, random, log, protectedPorts, dial } = options;
  const reporter = new HealthReporter({ clock, upstreams: () => monitor.upstreams, send: report });
  const monitor = new HealthMonitor({
    board,
    nodes,
    mayDial: createDialPolicy({ protectedPorts, ...dial }),
    clock,
    random,
    log,
    onChange: () => reporter.noteChange(),
    tell: (put, removed) => broadcast({ kind: 'health', put, removed }),
  });
  return monitor;
}
