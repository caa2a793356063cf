import type { Balancing } from '../../schema/index.ts';
import { type Balancer, ConsistentHash, LeastConnections, LowestLatency, SmoothRoundRobin } from '../balancer/index.ts';
import type { Endpoint } from './endpoint.ts';
import type { UpstreamSurroundings } from './runtime-upstream.ts';

/** What chooses among these endpoints. */
export function balancerOf(
  balancing: Balancing,
  endpoints: readonly Endpoint[],
  { random, monotonicMs, slots }: UpstreamSurroundings,
): Balancer<Endpoint> {
  switch (balancing.kind) {
    case 'roundrobin':
      return new SmoothRoundRobin(endpoints, random);
    case 'chash':
      return new ConsistentHash(endpoints);
    case 'ewma':
      return new LowestLatency(endpoints, { random, monotonicMs });
    case 'least_conn': {
      // Where not all can be counted, those that are not would look idle for ever.
      const areCounted = endpoints.every(({ loadSlot }) => loadSlot >= 0);
      if (!areCounted) return new SmoothRoundRobin(endpoints, random);
      return new LeastConnections(endpoints, (slot) => slots.requestsInFlight(slot));
    }
  }
}
