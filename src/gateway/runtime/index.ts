export { AddressBook } from './address-book.ts';
export { catalogueOf, type PluginCatalogue, type PluginStep, type RequestPhase } from './plugin-chain.ts';
export type { PreparedChange } from './prepare-change.ts';
export { Runtime, type RuntimeOptions } from './runtime.ts';
export { RuntimeRoute, type RuntimeRouteParts } from './runtime-route.ts';
export { type Endpoint, type EndpointChoice, RuntimeUpstream, type TargetSource } from './runtime-upstream.ts';
