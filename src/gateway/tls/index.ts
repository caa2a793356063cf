export type { ClientPolicy } from './client-policy.ts';
export { clientRefusal } from './client-refusal.ts';
export { TicketKeys } from './ticket-keys.ts';
export { type PreparedTls, type TlsChanges, TlsItems, tlsItemKey } from './tls-items.ts';
export { UpstreamIdentities } from './upstream-identities.ts';
