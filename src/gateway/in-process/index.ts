export { createGateway, type InProcessGateway, type InProcessOptions } from './create-gateway.ts';
export type { GatewayDefinition } from './gateway-definition.ts';
