export type { JsonObject, JsonValue } from '../lib/json.ts';
export { type Issue, type PluginSite, Type } from '../schema/index.ts';
export { type AnswerHeaders, type PluginAnswer, type RefusalOptions, type RefusalStyle, refuse, respond } from './answer.ts';
export { anonymousConsumerField, CONSUMER_HEADERS, hideCredentialsField, realmField } from './authentication-fields.ts';
export type { BodyFilter } from './body-filter.ts';
export { checkHeaderName } from './check-header-name.ts';
export { checkNetworks } from './check-networks.ts';
export { checkVars } from './check-vars.ts';
export { isCredential } from './configuration-schema.ts';
export type { ClosedConnection, ConnectionView } from './connection-view.ts';
export type { ConsumerMatch, CredentialMatch } from './consumer-match.ts';
export type {
  BucketDecision,
  CounterServer,
  Counters,
  CounterUnavailable,
  EntryDecision,
  SharedRecord,
  SharedRecords,
  WindowDecision,
} from './counters.ts';
export { describeMetadataSecrets } from './describe-metadata-secrets.ts';
export { describeSecrets, type PluginSecrets, type UniquePluginValue } from './describe-secrets.ts';
export { describeShared, type SharedConfiguration } from './describe-shared.ts';
export { describeUpstreamIds } from './describe-upstream-ids.ts';
export { ENGINE_FIELDS } from './engine-fields.ts';
export { compileHeaderTemplates, type HeaderTemplates } from './header-templates.ts';
export { instantiatePlugin, type PhaseFunction, type PluginInstance } from './instantiate-plugin.ts';
export type { LogView } from './log-view.ts';
export { BatchRegistry, type BatchTarget, type HeldBatches } from './logging/batch-registry.ts';
export { LogEntryBuilder } from './logging/log-entry-builder.ts';
export {
  type BatchConfiguration,
  batchFields,
  checkBodyExpressions,
  LOG_FIELDS,
  LOG_METADATA_FIELDS,
  type LogConfiguration,
  MAX_PENDING_FIELD,
} from './logging/log-fields.ts';
export { textOfByteString } from './logging/text-of-byte-string.ts';
export type {
  CounterMetric,
  CounterSeries,
  GaugeMetric,
  HistogramMetric,
  HistogramSeries,
  MetricDefinition,
  Metrics,
} from './metrics.ts';
export type { LineFile, LineFiles, OutgoingCalls, OutgoingRequest, OutgoingResponse } from './outgoing-calls.ts';
export { type AnyPlugin, definePlugin, type PhaseResult, type Plugin, type PluginPhases } from './plugin.ts';
export { type PluginMeta, pluginMetaSchema, readPluginMeta } from './plugin-meta.ts';
export type { CheckContext, NestedPlugin, PluginFacts, PluginSchema, UpstreamReference } from './plugin-schema.ts';
export type { PluginLog, PluginLogFields, PluginOwner, PluginSetup } from './plugin-setup.ts';
export { type ReadableSchema, type ReadNestedPlugin, type ReadPlugin, readPlugin } from './read-plugin.ts';
export { checkPluginConfiguration, readPluginConfiguration } from './read-plugin-configuration.ts';
export { type RequestSlot, requestSlot } from './request-slot.ts';
export type { MatchedRoute, QueryArgument, QueryPair, RequestView } from './request-view.ts';
export type { ResponseHead } from './response-head.ts';
export {
  checkSecretReferences,
  forEachSecretReference,
  hasSecretReferences,
  isSecretReference,
  issuesBesideReferences,
  resolveSecretReferences,
  type ValueOfReference,
} from './secret-references.ts';
export { textList } from './text-list.ts';
export { type UnrecognisedClient, unrecognisedClient } from './unrecognised-client.ts';
export type { UpstreamHandle } from './upstream-handle.ts';
export { checkRegexes, compileRegexes } from './user-regexes.ts';
export { validatePlugins } from './validate-plugins.ts';
export { VARIABLE_NAMES, VARIABLE_PREFIXES } from './variable-names.ts';
export type { VariableValue } from './variable-value.ts';
export { waitFor } from './wait-for.ts';
