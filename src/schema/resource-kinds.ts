import type { JsonObject, JsonValue } from '../lib/json.ts';
import { checkConsumer, consumerSchema, usernameField } from './consumer.ts';
import { credentialSchema } from './credential.ts';
import { idField } from './fields.ts';
import { checkGlobalRule, globalRuleSchema } from './global-rule.ts';
import { pluginMetadataSchema } from './plugin-metadata.ts';
import { defineResourceKind, type ResourceKind, type ResourceKindName } from './resource-kind.ts';
import { checkRoute, routeSchema, warningsForRoute } from './route.ts';
import {
  checkSecretProvider,
  presentSecretProvider,
  secretPointersOfProvider,
  secretProviderIdField,
  secretProviderSchema,
} from './secret-provider.ts';
import { checkService, serviceSchema, warningsForService } from './service.ts';

const service = defineResourceKind({
  name: 'service',
  collection: 'services',
  parent: undefined,
  schema: serviceSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id', 'service_id'],
  pluginSite: 'service',
  isSortedByName: true,
  check: checkService,
  warnings: warningsForService,
  // Clients read `type` to know which kind of routes to ask for, but must not find it among the stored defaults.
  present: (document, id) => ({ type: 'http', ...document, id }),
});

const route = defineResourceKind({
  name: 'route',
  collection: 'routes',
  parent: undefined,
  schema: routeSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id', 'route_id'],
  pluginSite: 'route',
  check: checkRoute,
  warnings: warningsForRoute,
  owner: (document) => {
    const serviceId = textOf(document.service_id);
    return serviceId === undefined ? undefined : { kind: 'service', id: serviceId };
  },
  present: (document, id) => ({ ...document, id }),
});

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
  present: (document) => document,
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
  secretPointers: secretPointersOfProvider,
  present: presentSecretProvider,
});

/** Every kind of resource, parents before their children. A new kind is one schema, its own checks, and one entry here. */
export const RESOURCE_KINDS: readonly ResourceKind[] = Object.freeze([
  service,
  route,
  consumer,
  credential,
  globalRule,
  pluginMetadata,
  secretProvider,
]);

const kindsByName: ReadonlyMap<ResourceKindName, ResourceKind> = new Map(RESOURCE_KINDS.map((kind) => [kind.name, kind]));

/** The kind with this name. */
export function resourceKind(name: ResourceKindName): ResourceKind {
  const kind = kindsByName.get(name);
  if (kind === undefined) throw new Error(`no resource kind is called ${name}`);
  return kind;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
