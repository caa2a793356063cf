export { createDialPolicy, type DialPolicy, type DialPolicyOptions, type DialSettings } from './dial-policy.ts';
export { type NameChangeListener, NameResolver, type NameResolverOptions } from './name-resolver.ts';
