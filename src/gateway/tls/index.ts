export type { ClientPolicy } from './client-policy.ts';
export { clientRefusal } from './client-refusal.ts';
export { TicketKeys } from './ticket-keys.ts';
export { type PreparedTls, type TlsChanges, TlsItems, tlsItemKey } from './tls-items.ts';
export { TLS_VARIABLE_NAMES, tlsVariable } from './tls-variable.ts';
export { UpstreamIdentities } from './upstream-identities.ts';
