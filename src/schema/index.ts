export { compileValidator, type Validation, type Validator } from './compile-validator.ts';
export { isJsonObject } from './copy-document.ts';
export { type CoreSchemaName, coreSchemas } from './core-schemas.ts';
export type { ActiveChecks, CheckRules, EffectiveChecks, HealthThresholds } from './effective-checks.ts';
export {
  type Balancing,
  type EffectiveUpstream,
  type HashRule,
  type HopTimeouts,
  readUpstream,
  type ServiceDiscovery,
  type UpstreamNode,
} from './effective-upstream.ts';
export { describingFields } from './fields.ts';
export { appendPointer, formatIssues, type Issue, issuesBelow } from './issue.ts';
export type { PluginSite } from './plugin-site.ts';
export {
  type Consumer,
  type PluginConfigurations,
  type Route,
  readConsumer,
  readRoute,
  readService,
  readServiceUpstream,
  readStreamRoute,
  type Service,
  type StreamRoute,
} from './read-resources.ts';
export type { ResourceKind, ResourceKindName, ResourceReference } from './resource-kind.ts';
export { RESOURCE_KINDS, resourceKind } from './resource-kinds.ts';
export { type TSchema, Type } from './schema-builder.ts';
export { secretProviderSchemas } from './secret-provider.ts';
export { isSecretReference, parseSecretReference, type SecretManager, type SecretReference } from './secret-reference.ts';
export { parseServiceAddress } from './service-address.ts';
export type {
  KeyDigest,
  ReferencedKey,
  SnapshotChange,
  SnapshotDelta,
  SnapshotItem,
  SnapshotItemName,
} from './snapshot.ts';
export { isStreamService, type StreamTransport, streamTransportOf, unservedInStreamService } from './stream-service.ts';
export { type CertificatePair, type ClientRules, readTlsItem, type TlsItem, type TlsItemKind, type TlsVersion } from './tls-item.ts';
export { asUpstreamDocument, checkUpstream, isServedUpstream, isStreamScheme, type UpstreamDocument, upstreamSchema } from './upstream.ts';
export type { UpstreamTlsSettings } from './upstream-tls.ts';
export { type DocumentValidation, validateDocument } from './validate-document.ts';
