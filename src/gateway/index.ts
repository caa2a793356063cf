export type { FormerProcesses, SnapshotPlace } from '../distribution/gateway-side.ts';
export type { AgeLimit } from './freshness/index.ts';
export type {
  GatewayOptions,
  InstanceIdentity,
  PreviousExit,
  RunningGateway,
  SnapshotOptions,
  WorkerListeners,
} from './gateway-options.ts';
export type { LimitSettings } from './limits/index.ts';
export { prepareGateway } from './prepare-gateway.ts';
export { startGateway } from './start-gateway.ts';
