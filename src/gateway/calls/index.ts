export { CallClient, type CallClientOptions } from './call-client.ts';
export type { CallFailure } from './call-error.ts';
export { CallNames, type CallNamesOptions } from './call-names.ts';
export type { CallLimits } from './call-slots.ts';
