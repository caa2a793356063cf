export { type BalancedNode, SmoothRoundRobin } from './smooth-round-robin.ts';
