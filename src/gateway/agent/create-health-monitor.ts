import type { GatewayOptions } from '../gateway-options.ts';
import { type HealthBoard, HealthMonitor } from '../health/index.ts';
import { createDialPolicy, type NameResolver } from '../names/index.ts';
import type { AgentMessage } from '../worker/worker-messages.ts';

/** What the agent has for a monitor. */
export interface HealthSurroundings {
  readonly board: HealthBoard;
  readonly resolver: NameResolver;
  readonly broadcast: (message: AgentMessage) => void;
}

/** The monitor of an instance: what it asks passes the address policy as requests do, and what it finds reaches all workers. */
export function createHealthMonitor(options: GatewayOptions, { board, resolver, broadcast }: HealthSurroundings): HealthMonitor {
  const { clock, random, log, protectedPorts, dial } = options;
  return new HealthMonitor({
    board,
    addressesOf: (host) => resolver.addressesOf(host) ?? [],
    mayDial: createDialPolicy({ protectedPorts, ...dial }),
    clock,
    random,
    log,
    tell: (put, removed) => broadcast({ kind: 'health', put, removed }),
  });
}
