import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { EffectiveChecks, EffectiveUpstream } from '../../schema/index.ts';
import type { ResolvedNode } from '../discovery/index.ts';
import type { HealthSlot } from './health-board.ts';
import { NodeHealth } from './node-health.ts';

/** One address of an upstream that is looked after. */
export interface CheckedNode {
  readonly key: string;
  /** As it is configured. */
  readonly hostName: string;
  readonly address: string;
  readonly port: number;
  readonly slot: HealthSlot;
  readonly health: NodeHealth;
  /** Monotonic time of the next check. */
  nextAtMs: number;
  isAsked: boolean;
}

/** An upstream that is looked after. */
export interface CheckedUpstream {
  readonly serviceId: string;
  /** Undefined: the one inside the service. */
  readonly upstreamId: string | undefined;
  readonly settings: EffectiveUpstream;
  /** Within bounds (see `boundedChecks`). */
  readonly checks: EffectiveChecks;
  /** By `healthKey`. */
  readonly nodes: Map<string, CheckedNode>;
  /** Checks under way; the same object when the upstream is replaced by one that is checked alike. */
  readonly load: { asked: number };
}

/** The longest that a check may take, whatever is configured. */
const MOST_TIMEOUT_MS = 60_000;
/** Checks of one upstream at once, whatever is configured. */
const MOST_CONCURRENCY = 32;

/** Checks as the instance makes them: no upstream may keep the places that all share, nor for long. */
export function boundedChecks({ active, passive }: EffectiveChecks): EffectiveChecks {
  const timeoutMs = Math.min(active.timeoutMs, MOST_TIMEOUT_MS);
  const concurrency = Math.min(active.concurrency, MOST_CONCURRENCY);
  return { active: { ...active, timeoutMs, concurrency }, passive };
}

/** What a node's health was found out by: when it changes, what is known is of no use. */
export function sameChecks(one: EffectiveUpstream, other: EffectiveUpstream): boolean {
  return (
    isDeepStrictEqual(one.checks, other.checks) &&
    isDeepStrictEqual(one.tls, other.tls) &&
    one.passHost === other.passHost &&
    one.upstreamHost === other.upstreamHost
  );
}

/** The value of Host in a check of this node. */
export function probedHost({ settings, checks }: CheckedUpstream, { hostName, port }: CheckedNode): string {
  if (checks.active.host !== undefined) return checks.active.host;
  if (settings.passHost === 'rewrite' && settings.upstreamHost !== undefined) return settings.upstreamHost;
  return `${isIP(hostName) === 6 ? `[${hostName}]` : hostName}:${checks.active.port ?? port}`;
}

/** A node that nothing is known of. */
export function newNode(key: string, { host, address, port }: ResolvedNode, slot: HealthSlot, firstAtMs: number): CheckedNode {
  return { key, hostName: host, address, port, slot, health: new NodeHealth(), nextAtMs: firstAtMs, isAsked: false };
}
