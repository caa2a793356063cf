export type { BalancedNode, Balancer } from './balancer.ts';
export { ConsistentHash } from './consistent-hash.ts';
export { compileHashKey, type HashKey } from './hash-key.ts';
export { LatencyAverage } from './latency-average.ts';
export { LeastConnections, type RequestsInFlight } from './least-connections.ts';
export { LowestLatency } from './lowest-latency.ts';
export { SmoothRoundRobin } from './smooth-round-robin.ts';
