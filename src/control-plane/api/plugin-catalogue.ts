import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type PluginSchema, pluginMetaSchema, VARIABLE_NAMES, VARIABLE_PREFIXES } from '../../plugin-kit/index.ts';
import { isJsonObject } from '../../schema/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';

/** What clients may ask of the plugins and variables that configurations can name. It is the same for every group. */
export function pluginCatalogueRoutes({ plugins }: ApiContext): readonly ApiRoute[] {
  const byPriority = plugins.toSorted((one, other) => other.priority - one.priority);
  const route = (path: string, handle: (request: ApiRequest) => ApiAnswer): ApiRoute => ({
    method: 'GET',
    path,
    permission: 'gateway:GetGatewayGroup',
    groupScoped: true,
    handle: async (request) => handle(request),
  });
  return [
    route('/apisix/admin/plugins/list', ({ query }) => ({ body: namesOf(byPriority, query.get('has_metadata')) })),
    route('/apisix/admin/plugins', () => ({ body: Object.fromEntries(byPriority.map((plugin) => [plugin.name, describe(plugin)])) })),
    route('/apisix/admin/plugins/:name', (request) => ({ body: schemaFor(plugins, request) })),
    route('/apisix/admin/schema/plugins/:name', (request) => ({ body: schemaFor(plugins, request) })),
    route('/apisix/admin/plugin_metadata/:name/default', ({ parameters }) => ({ body: { value: metadataDefaults(plugins, parameters) } })),
    route('/api/plugins', () => ({ body: { list: byPriority.map(({ name, type }) => ({ name, type })), total: byPriority.length } })),
    route('/apisix/admin/variables', () => ({ body: { value: [...VARIABLE_NAMES, ...VARIABLE_PREFIXES.map((prefix) => `${prefix}*`)] } })),
  ];
}

/** Plugins that run first stand first, as in APISIX. */
function namesOf(plugins: readonly PluginSchema[], hasMetadata: string | null): readonly string[] {
  return plugins.filter(({ metadataSchema }) => hasMetadata !== 'true' || metadataSchema !== undefined).map(({ name }) => name);
}

function describe({ version, priority, type, schema, consumerSchema, metadataSchema }: PluginSchema): JsonObject {
  return {
    ...{ version, priority, type, schema: withMeta(asJson(schema)) },
    ...(consumerSchema === undefined ? {} : { consumer_schema: withMeta(asJson(consumerSchema)) }),
    ...(metadataSchema === undefined ? {} : { metadata_schema: asJson(metadataSchema) }),
  };
}

/** `schema_type` is `consumer`, `metadata`, or left out for routes, services and global rules. @throws PortcullisError 400, 404 */
function schemaFor(plugins: readonly PluginSchema[], { parameters, query }: ApiRequest): JsonObject {
  const plugin = plugins.find(({ name }) => name === parameters.get('name'));
  if (plugin === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'plugin not found' });
  const described = describe(plugin);
  const type = query.get('schema_type') ?? '';
  if (!['', 'consumer', 'metadata'].includes(type)) {
    throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter schema_type must be consumer or metadata' });
  }
  const schema = described[type === '' ? 'schema' : `${type}_schema`];
  if (isJsonObject(schema)) return schema;
  throw new PortcullisError('admin_not_found', { publicMessage: `plugin ${plugin.name} has no ${type} schema` });
}

/** What holds where the metadata of a plugin says nothing. @throws PortcullisError 404 */
function metadataDefaults(plugins: readonly PluginSchema[], parameters: ApiRequest['parameters']): JsonObject {
  const schema = plugins.find(({ name }) => name === parameters.get('name'))?.metadataSchema;
  if (schema === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'plugin metadata not found' });
  const { properties } = asJson(schema);
  const fields = isJsonObject(properties) ? Object.entries(properties) : [];
  return Object.fromEntries(
    fields.flatMap(([name, field]) => (isJsonObject(field) && field.default !== undefined ? [[name, field.default]] : [])),
  );
}

/** With `_meta`, which every configuration may have. */
function withMeta(schema: JsonObject): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  return { ...schema, properties: { ...properties, _meta: asJson(pluginMetaSchema) } };
}

/** A schema is data; through JSON it is nothing else. */
function asJson(schema: object): JsonObject {
  return JSON.parse(JSON.stringify(schema));
}
