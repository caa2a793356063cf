import type { JsonValue } from '../../../lib/json.ts';
import { Type } from '../../../schema/index.ts';
import type { ApiDescription, OperationDescription, PathParameter } from '../../openapi/index.ts';
import { GROUP_PARAMETER } from './parameters.ts';

const tag = 'Catalogue';
const anyObject = Type.Unsafe<JsonValue>({ type: 'object' });
const texts = Type.Array(Type.String());
const PLUGIN: PathParameter = {
  name: 'plugin',
  description: 'The name of a plugin',
  schema: Type.String({ minLength: 1 }),
  example: 'key-auth',
};

const described = Type.Object({
  version: Type.String(),
  priority: Type.Integer({ description: 'Higher runs first' }),
  type: Type.String(),
  schema: anyObject,
  consumer_schema: Type.Optional(anyObject),
  metadata_schema: Type.Optional(anyObject),
});

function pluginSchema(id: string): OperationDescription {
  return {
    ...{ id, tag, summary: 'Give the schema of a plugin', path: { name: PLUGIN } },
    query: [
      {
        name: 'schema_type',
        description: '`consumer`: that of a credential; `metadata`: that of its metadata; otherwise that of a configuration',
        schema: Type.Unsafe<string>({ type: 'string', enum: ['consumer', 'metadata'] }),
      },
    ],
    answers: { 200: { description: 'A JSON Schema', schema: anyObject } },
    refusals: [404],
  };
}

/** What the document says of the plugins and variables that configurations can name. */
export const CATALOGUE_DESCRIPTION: ApiDescription = {
  operations: {
    'GET /apisix/admin/plugins/list': {
      ...{ id: 'listPluginNames', tag, summary: 'List the names of all plugins' },
      query: [
        {
          name: 'has_metadata',
          description: '`true`: only plugins that have metadata',
          schema: Type.Unsafe<string>({ type: 'string', enum: ['true', 'false'] }),
        },
      ],
      answers: { 200: { description: 'Those that run first stand first', schema: texts, example: ['real-ip', 'key-auth'] } },
    },
    'GET /apisix/admin/plugins': {
      ...{ id: 'describePlugins', tag, summary: 'Give all plugins with their schemas' },
      answers: {
        200: { description: 'By name', schema: Type.Unsafe<JsonValue>({ type: 'object', additionalProperties: described }) },
      },
    },
    'GET /apisix/admin/plugins/:name': pluginSchema('getPlugin'),
    'GET /apisix/admin/schema/plugins/:name': pluginSchema('getPluginSchema'),
    'GET /apisix/admin/plugin_metadata/:name/default': {
      ...{ id: 'getPluginMetadataDefaults', tag, summary: 'Tell what holds where the metadata of a plugin says nothing' },
      path: { name: { ...PLUGIN, example: 'limit-count' } },
      answers: { 200: { description: 'The defaults', schema: Type.Object({ value: anyObject }) } },
      refusals: [404],
    },
    'GET /api/plugins': {
      ...{ id: 'listPlugins', tag, summary: 'List names and types of all plugins' },
      answers: {
        200: {
          description: 'Those that run first stand first',
          schema: Type.Object({
            list: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
            total: Type.Integer({ minimum: 0 }),
          }),
        },
      },
    },
    'GET /apisix/admin/variables': {
      ...{ id: 'listVariables', tag, summary: 'List the names of variables' },
      description: '`http_*` stands for all that begin so.',
      answers: { 200: { description: 'Names', schema: Type.Object({ value: texts }), example: { value: ['uri', 'http_*'] } } },
    },
  },
};

/** What the document says of `POST /apisix/admin/configs/validate`. `collections` are those that a body may have. */
export function validationDescription(collections: readonly string[]): ApiDescription {
  const element = Type.Unsafe<JsonValue>({ type: 'array', items: { type: 'object' } });
  return {
    operations: {
      'POST /apisix/admin/configs/validate': {
        ...{ id: 'validateConfigs', tag: 'Validation', summary: 'Examine lists of resources; nothing is stored' },
        description: 'References between resources and duplicates among them are not checked. A 400 lists in `errors` each faulty element.',
        query: [GROUP_PARAMETER],
        body: {
          schema: Type.Object(Object.fromEntries(collections.map((name) => [name, Type.Optional(element)]))),
          examples: [{ summary: 'Examine a consumer', value: { consumers: [{ username: 'jack' }] } }],
        },
        answers: { 200: { description: 'Nothing is wrong', schema: Type.Object({ value: Type.Object({}) }), example: { value: {} } } },
        refusals: [404],
      },
    },
  };
}
