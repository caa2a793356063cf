export { AddressBook } from './address-book.ts';
export { BODY_USE } from './body-use.ts';
export { type ConsumerChain, ConsumerPlugins } from './consumer-plugins.ts';
export type { Endpoint } from './endpoint.ts';
export { HeldChain } from './held-chain.ts';
export {
  type ChainMember,
  catalogueOf,
  EMPTY_CHAIN,
  type LaterStep,
  type PluginCatalogue,
  type PluginChain,
  type PluginStep,
  type RequestPhase,
} from './plugin-chain.ts';
export type { PluginServices } from './plugin-services.ts';
export { PluginUpstream } from './plugin-upstream.ts';
export type { PreparedChange } from './prepare-change.ts';
export { Runtime, type RuntimeOptions } from './runtime.ts';
export { RuntimeRoute, type RuntimeRouteParts } from './runtime-route.ts';
export { RuntimeStreamRoute } from './runtime-stream-route.ts';
export { type EndpointChoice, RuntimeUpstream, type TargetSource } from './runtime-upstream.ts';
export { StreamRoutes } from './stream-routes.ts';
