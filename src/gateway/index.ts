export type { GatewayOptions, InstanceIdentity, PreviousExit, RunningGateway, WorkerListeners } from './gateway-options.ts';
export { startGateway } from './start-gateway.ts';
