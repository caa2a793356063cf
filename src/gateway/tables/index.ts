export { CredentialIndexReader } from './credential-index-reader.ts';
export { CredentialIndexWriter } from './credential-index-writer.ts';
export type { CredentialTableHandles, CredentialTableOptions } from './credential-table-handles.ts';
export { IdentifiedConsumer, type IdentityBytes } from './identified-consumer.ts';
