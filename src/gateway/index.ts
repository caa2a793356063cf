export type { GatewayOptions, InstanceIdentity, PreviousExit, RunningGateway, WorkerListeners } from './gateway-options.ts';
export type { LimitSettings } from './limits/index.ts';
export { startGateway } from './start-gateway.ts';
