import type { NodeSource } from '../discovery/index.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { type HealthBoard, HealthMonitor } from '../health/index.ts';
import { createDialPolicy } from '../names/index.ts';
import type { AgentMessage } from '../worker/worker-messages.ts';

/** What the agent has for a monitor. */
export interface HealthSurroundings {
  readonly board: HealthBoard;
  readonly nodes: NodeSource;
  readonly broadcast: (message: AgentMessage) => void;
}

/** The monitor of an instance: what it asks passes the address policy as requests do, and what it finds reaches all workers. */
export function createHealthMonitor(options: GatewayOptions, { board, nodes, broadcast }: HealthSurroundings): HealthMonitor {
  const { clock, random, log, protectedPorts, dial } = options;
  return new HealthMonitor({
    board,
    nodes,
    mayDial: createDialPolicy({ protectedPorts, ...dial }),
    clock,
    random,
    log,
    tell: (put, removed) => broadcast({ kind: 'health', put, removed }),
  });
}
