import type { ErrorReason } from '../../errors/index.ts';

/** The reasons of refusals that are counted over all workers, in the order of their counters. */
export const REFUSAL_REASONS = [
  'too_many_connections',
  'too_many_connections_of_client',
  'service_overloaded',
  'nodes_overloaded',
  'too_many_upstream_connections',
  'out_of_descriptors',
] as const satisfies readonly ErrorReason[];

/** One of them. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Position of the reason's counter; -1 for one that is not counted here. */
export function refusalIndex(reason: ErrorReason): number {
  const reasons: readonly ErrorReason[] = REFUSAL_REASONS;
  return reasons.indexOf(reason);
}
