export { createDialPolicy, type DialPolicy, type DialPolicyOptions, type DialSettings } from '../../lib/dial-policy.ts';
export { type NameChangeListener, NameResolver, type NameResolverOptions } from './name-resolver.ts';
export { type ServiceRecord, systemNameSources } from './name-sources.ts';
