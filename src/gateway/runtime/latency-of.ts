import type { UpstreamTarget } from '../../engine/index.ts';
import { LatencyAverage } from '../balancer/index.ts';

/** Kept as long as the target is, so that what was measured outlives a change of the configuration. */
const averages = new WeakMap<UpstreamTarget, LatencyAverage>();

/** The latency of a target as this worker has measured it, the same for all upstreams that use the target. */
export function latencyOf(target: UpstreamTarget): LatencyAverage {
  const known = averages.get(target);
  if (known !== undefined) return known;
  const average = new LatencyAverage();
  averages.set(target, average);
  return average;
}
