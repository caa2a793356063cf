import type { JsonObject } from '../../lib/json.ts';
import { digestKey } from '../../lib/key-digest.ts';
import {
  checkVars,
  describeSecrets,
  type PluginFacts,
  type PluginSchema,
  type PluginSite,
  readPluginConfiguration,
  validatePlugins,
} from '../../plugin-kit/index.ts';
import { formatIssues, isJsonObject, type KeyDigest, resourceKind, type SnapshotItem, validateDocument } from '../../schema/index.ts';
import type { GatewayDefinition } from './gateway-definition.ts';

type KindName = 'service' | 'upstream' | 'route' | 'consumer' | 'credential' | 'global_rule' | 'plugin_metadata';

const SITES: Readonly<Record<KindName, PluginSite | undefined>> = {
  service: 'service',
  upstream: undefined,
  route: 'route',
  consumer: 'consumer',
  credential: 'credential',
  global_rule: 'global_rule',
  plugin_metadata: undefined,
};

/**
 * The items that gateways would get of a definition, checked as the Admin API checks what is written.
 *
 * @throws TypeError that names every fault of the first resource that has one
 */
export function snapshotOfDefinition(
  definition: GatewayDefinition,
  schemas: readonly PluginSchema[],
  salt: Uint8Array,
): readonly SnapshotItem[] {
  const {
    services = {},
    upstreams = {},
    routes = {},
    consumers = {},
    credentials = {},
    globalRules = {},
    pluginMetadata = {},
  } = definition;
  const check = (kind: KindName, resources: Readonly<Record<string, JsonObject>>): readonly (readonly [string, JsonObject])[] =>
    Object.entries(resources).map(([id, value]) => [id, checked(kind, id, value, schemas, facts)]);
  const facts: PluginFacts = { metadataOf: (plugin) => (Object.hasOwn(pluginMetadata, plugin) ? pluginMetadata[plugin] : undefined) };
  const keysOf = (value: JsonObject, site: PluginSite): readonly KeyDigest[] => keysOfPlugins(value, site, schemas, salt);
  return [
    ...check('plugin_metadata', pluginMetadata).map(([id, value]): SnapshotItem => ({ kind: 'plugin_metadata', id, value })),
    ...check('global_rule', globalRules).map(([id, value]): SnapshotItem => ({ kind: 'global_rule', id, value })),
    ...check('service', services).map(([id, value]): SnapshotItem => ({ kind: 'service', id, value })),
    ...Object.entries(upstreams).flatMap(([service, own]) =>
      check('upstream', own).map(([id, value]): SnapshotItem => ({ kind: 'upstream', id, service, value })),
    ),
    ...check('route', routes).map(([id, value]): SnapshotItem => ({ kind: 'route', id, value })),
    ...check('consumer', withUsernames(consumers)).map(
      ([id, value]): SnapshotItem => ({ kind: 'consumer', id, value: withoutAuth(value, schemas), keys: keysOf(value, 'consumer') }),
    ),
    ...Object.entries(credentials).flatMap(([consumer, own]) =>
      check('credential', own).map(
        ([id, value]): SnapshotItem => ({ kind: 'credential', id, consumer, value: {}, keys: keysOf(value, 'credential') }),
      ),
    ),
  ];
}

function withUsernames(consumers: Readonly<Record<string, JsonObject>>): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(Object.entries(consumers).map(([username, value]) => [username, { username, ...value }]));
}

function checked(kindName: KindName, id: string, value: JsonObject, schemas: readonly PluginSchema[], facts: PluginFacts): JsonObject {
  const validation = validateDocument(resourceKind(kindName), value, id);
  const site = SITES[kindName];
  const pluginIssues = site === undefined ? [] : validatePlugins(value.plugins, site, schemas, facts);
  const varsIssues = kindName === 'route' && Array.isArray(value.vars) ? checkVars(value.vars, '/vars') : [];
  const issues = [...(validation.ok ? [] : validation.issues), ...varsIssues, ...pluginIssues];
  if (!validation.ok || issues.length > 0) throw new TypeError(`${kindName} ${id}: ${formatIssues(issues)}`);
  return validation.document;
}

/** On the way to gateways a consumer has no plugins that are credentials. */
function withoutAuth(value: JsonObject, schemas: readonly PluginSchema[]): JsonObject {
  if (!isJsonObject(value.plugins)) return value;
  const auth = new Set(schemas.filter(({ type }) => type === 'auth').map(({ name }) => name));
  return { ...value, plugins: Object.fromEntries(Object.entries(value.plugins).filter(([name]) => !auth.has(name))) };
}

function keysOfPlugins(value: JsonObject, site: PluginSite, schemas: readonly PluginSchema[], salt: Uint8Array): readonly KeyDigest[] {
  const digestOf = (text: string): string => digestKey(salt, Buffer.from(text)).toString('base64');
  return describeSecrets(value.plugins, site, schemas).uniqueValues.flatMap(({ plugin, value: unique }): readonly KeyDigest[] => {
    const schema = schemas.find(({ name }) => name === plugin);
    const configuration = isJsonObject(value.plugins) ? value.plugins[plugin] : undefined;
    if (schema?.credentialData === undefined || schema.consumerSchema === undefined || configuration === undefined) {
      return [{ plugin, digest: digestOf(unique) }];
    }
    const data = schema.credentialData(readPluginConfiguration(schema.consumerSchema, configuration), digestOf);
    return data === undefined ? [] : [{ plugin, digest: digestOf(unique), data }];
  });
}
