import type { JsonObject } from '../lib/json.ts';
import { caCertificate, certificate, sni, ssl } from './certificate-kinds.ts';
import { checkConsumer, consumerSchema, usernameField } from './consumer.ts';
import { credentialSchema } from './credential.ts';
import { idField } from './fields.ts';
import { gatewayGroup } from './gateway-group.ts';
import { checkGlobalRule, globalRuleSchema, pluginOfGlobalRule } from './global-rule.ts';
import { pluginMetadataSchema } from './plugin-metadata.ts';
import { protoSchema } from './proto.ts';
import { defineResourceKind, type ResourceKind, type ResourceKindName } from './resource-kind.ts';
import {
  checkSecretProvider,
  presentSecretProvider,
  secretPointersOfProvider,
  secretProviderIdField,
  secretProviderSchema,
} from './secret-provider.ts';
import { route, service, streamRoute, upstream } from './service-kinds.ts';

const consumer = defineResourceKind({
  name: 'consumer',
  collection: 'consumers',
  parent: undefined,
  schema: consumerSchema,
  idSchema: usernameField,
  idField: 'username',
  bodyIdFields: ['username'],
  pluginSite: 'consumer',
  isSortedByName: true,
  check: checkConsumer,
  present: (document, id) => ({ ...document, username: id }),
});

const credential = defineResourceKind({
  name: 'credential',
  collection: 'credentials',
  parent: 'consumer',
  schema: credentialSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id'],
  pluginSite: 'credential',
  owner: (_document, parentId) => ({ kind: 'consumer', id: parentId }),
  present: (document, id): JsonObject => ({ name: id, ...document, id }),
});

const globalRule = defineResourceKind({
  name: 'global_rule',
  collection: 'global_rules',
  parent: undefined,
  schema: globalRuleSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id'],
  pluginSite: 'global_rule',
  // Clients ask for all of them even where they ask for labels (ADC).
  isLabelled: false,
  check: checkGlobalRule,
  ownId: pluginOfGlobalRule,
  present: (document, id) => ({ ...document, id }),
});

const pluginMetadata = defineResourceKind({
  name: 'plugin_metadata',
  collection: 'plugin_metadata',
  parent: undefined,
  schema: pluginMetadataSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id'],
  pluginSite: undefined,
  isLabelled: false,
  form: 'document',
  isCreatable: false,
  present: (document) => document,
});

const proto = defineResourceKind({
  name: 'proto',
  collection: 'protos',
  parent: undefined,
  schema: protoSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id'],
  pluginSite: undefined,
  warnings: () => ['protos are stored, but not used by this version'],
  present: (document, id) => ({ ...document, id }),
});

const secretProvider = defineResourceKind({
  name: 'secret_provider',
  collection: 'secret_providers',
  // Its name in APISIX, and in API7 before 3.2.16.
  otherCollections: ['secrets'],
  idPath: ':manager/:id',
  parent: undefined,
  schema: secretProviderSchema,
  idSchema: secretProviderIdField,
  idField: 'id',
  bodyIdFields: ['id'],
  pluginSite: undefined,
  check: checkSecretProvider,
  isCreatable: false,
  secretPointers: secretPointersOfProvider,
  present: presentSecretProvider,
});

/**
 * Every kind of resource of a gateway group, parents before their children. A new kind is one schema, its own checks, and one entry here.
 */
export const RESOURCE_KINDS: readonly ResourceKind[] = Object.freeze([
  service,
  upstream,
  route,
  streamRoute,
  consumer,
  credential,
  ssl,
  certificate,
  caCertificate,
  sni,
  globalRule,
  pluginMetadata,
  proto,
  secretProvider,
]);

const kindsByName: ReadonlyMap<ResourceKindName, ResourceKind> = new Map(
  [...RESOURCE_KINDS, gatewayGroup].map((kind) => [kind.name, kind]),
);

/** The kind with this name: one of `RESOURCE_KINDS`, or that of the groups themselves. */
export function resourceKind(name: ResourceKindName): ResourceKind {
  const kind = kindsByName.get(name);
  if (kind === undefined) throw new Error(`no resource kind is called ${name}`);
  return kind;
}
