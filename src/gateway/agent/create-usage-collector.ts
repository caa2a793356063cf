import type { UsageLink } from '../../distribution/gateway-side.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { UsageCollector } from '../usage/index.ts';
import { yieldTurn } from './yield-turn.ts';

const INTERVAL_MS = 10_000;

/** What collects the usage that the workers of an instance count. */
export function createUsageCollector(
  { usageIntervalMs = INTERVAL_MS, clock, random }: GatewayOptions,
  rows: number,
  link: () => UsageLink | undefined,
): UsageCollector {
  return new UsageCollector({ rows, intervalMs: usageIntervalMs, clock, random, yieldTurn, link });
}
