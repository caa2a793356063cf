import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { documentSchema } from './document-schema.ts';
import type { AnswerDescription, BodyDescription, DescribedApi, DescribedRoute, Refusal } from './operation-description.ts';
import { ANSWER_HEADERS, ERROR_SCHEMA, OTHER_REFUSAL, REFUSALS, REQUEST_HEADERS, SECURITY_SCHEMES } from './shared-components.ts';

const DESCRIPTION = [
  'JSON in and out. It follows the Admin API of API7 Enterprise at the level that `GET /api/version` tells.',
  'Everything under `/apisix/admin/` works on one gateway group, which `gateway_group_id` names unless the admin key of a group tells it.',
  '`HEAD` is answered where `GET` is; any other method on a path is 405 with `Allow`.',
  'Every answer has the headers `Portcullis-Version` and `Portcullis-Request-Id`.',
].join('\n\n');

/** The OpenAPI 3.1 document of the Admin API. It depends on nothing but the routes, so it can be made once. */
export function buildDocument(api: DescribedApi, version: string): JsonObject {
  const paths = Map.groupBy(api.routes, shownPath);
  return {
    openapi: '3.1.1',
    info: { title: 'Portcullis Admin API', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/', description: 'The control plane that serves this document' }],
    security: Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
    tags: [...new Set(api.routes.map(({ description }) => description.tag))].map((name) => ({ name })),
    paths: Object.fromEntries(
      [...paths].map(([path, routes]) => [
        path,
        Object.fromEntries(routes.map((route) => [route.method.toLowerCase(), operationOf(route)])),
      ]),
    ),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      parameters: mapValues(REQUEST_HEADERS, (header, name) => ({ name, in: 'header', ...header })),
      headers: { ...ANSWER_HEADERS },
      responses: {
        ...Object.fromEntries(
          Object.values(REFUSALS).map(({ name, description, headers }) => [name, refusalOf(description, headers ?? {})]),
        ),
        [OTHER_REFUSAL]: refusalOf('Refused for another reason, e.g. 405, 414, 417 or 431', {}),
      },
      schemas: { Error: ERROR_SCHEMA, ...mapValues(api.schemas, documentSchema) },
    },
  };
}

/** The path as readers know it: `/api/gateway_groups/{id}`. */
export function shownPath({ path, description }: DescribedRoute): string {
  return path.replaceAll(/:([a-z_]+)/g, (_whole, name: string) => `{${description.path?.[name]?.name ?? name}}`);
}

function operationOf(route: DescribedRoute): JsonObject {
  const { description, permission } = route;
  const { id, tag, summary, body, answers } = description;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description.description === undefined ? {} : { description: description.description }),
    'x-portcullis-permission': permission,
    ...(permission === 'public' ? { security: [] } : {}),
    ...withoutEmpty({ parameters: parametersOf(route) }),
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    responses: {
      ...mapValues(answers, answerOf),
      ...Object.fromEntries(refusalsOf(route).map((status) => [status, responseRef(REFUSALS[status].name)])),
      default: responseRef(OTHER_REFUSAL),
    },
  };
}

function parametersOf({ path, description }: DescribedRoute): readonly JsonObject[] {
  const inPath = [...path.matchAll(/:([a-z_]+)/g)].map(([, name = '']): JsonObject => {
    const parameter = description.path?.[name];
    if (parameter === undefined) throw new Error(`the parameter ${name} of ${path} has no description`);
    const { schema, example } = parameter;
    const shown = { name: parameter.name ?? name, in: 'path', required: true, description: parameter.description };
    return { ...shown, schema: documentSchema(schema), example };
  });
  const inQuery = (description.query ?? []).map(({ name, description: about, schema, isRequired, example }): JsonObject => {
    const document = documentSchema(schema);
    // `labels[team]=a`: an object is written as OpenAPI calls it deep.
    const style = document.type === 'object' ? { style: 'deepObject', explode: true } : {};
    const given = { ...(isRequired === true ? { required: true } : {}), ...style, ...(example === undefined ? {} : { example }) };
    return { name, in: 'query', description: about, ...given, schema: document };
  });
  const headers = (description.headers ?? []).map((name): JsonObject => ({ $ref: `#/components/parameters/${name}` }));
  return [...inPath, ...inQuery, ...headers];
}

function bodyOf({ schema, isOptional, examples, otherTypes = {} }: BodyDescription): JsonObject {
  const named = Object.fromEntries(examples.map(({ summary, value }, index) => [`example${index + 1}`, { summary, value }]));
  return {
    required: isOptional !== true,
    content: {
      'application/json': { schema: documentSchema(schema), ...(examples.length === 0 ? {} : { examples: named }) },
      ...mapValues(otherTypes, (other) => ({ schema: documentSchema(other) })),
    },
  };
}

function answerOf({ description, schema, example, headers = [], textTypes = [] }: AnswerDescription): JsonObject {
  const json =
    schema === undefined ? {} : { 'application/json': { schema: documentSchema(schema), ...(example === undefined ? {} : { example }) } };
  const content: JsonObject = { ...json, ...Object.fromEntries(textTypes.map((type) => [type, { schema: { type: 'string' } }])) };
  return {
    description,
    ...withoutEmpty({
      headers: Object.fromEntries(headers.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
      content,
    }),
  };
}

/** Those that the description names, and those that follow from the route itself. */
export function refusalsOf({ permission, description }: DescribedRoute): readonly Refusal[] {
  const guarded: readonly Refusal[] = permission === 'public' ? [] : [401, 403];
  const reading: readonly Refusal[] = description.body === undefined ? [] : [408, 413, 415];
  const all: readonly Refusal[] = [400, ...guarded, ...(description.refusals ?? []), ...reading, 429, 500, 503];
  return [...new Set(all)].toSorted((one, other) => one - other);
}

function refusalOf(description: string, headers: JsonObject): JsonObject {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return { description, ...withoutEmpty({ headers }), content };
}

function responseRef(name: string): JsonObject {
  return { $ref: `#/components/responses/${name}` };
}

function withoutEmpty(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'object' && Object.keys(value ?? {}).length > 0));
}

function mapValues<Value>(values: Readonly<Record<string, Value>>, change: (value: Value, name: string) => JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}
