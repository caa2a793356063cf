import type { JsonObject } from '../../../lib/json.ts';
import type { PluginSchema } from '../../../plugin-kit/index.ts';
import { RESOURCE_KINDS, type ResourceKind, resourceKind, secretProviderSchemas, type TSchema, Type } from '../../../schema/index.ts';
import {
  type ApiDescription,
  type OperationDescription,
  type OperationKey,
  type PathParameter,
  pascalCase,
  pluginSchemas,
  type QueryParameter,
  resourceSchemas,
  schemaName,
  schemaRef,
  shownRef,
  valueAnswer,
} from '../../openapi/index.ts';
import { collectionPaths, isNamedByBody, resourcePath } from '../resource-path.ts';
import { KIND_TEXTS } from './kind-texts.ts';
import { GROUP_PARAMETER, listParameters, TRIAL_PARAMETERS } from './parameters.ts';
import { DELETED, patchBody, WRITE_HEADERS, written } from './writing.ts';

/** What the document says of the operations on every kind of resource of a group. A new kind needs nothing here but its text. */
export function resourceDescription(plugins: readonly PluginSchema[]): ApiDescription {
  const operations = RESOURCE_KINDS.flatMap((kind) => collectionPaths(kind).flatMap((path) => operationsOf(kind, path)));
  return {
    operations: Object.fromEntries(operations),
    schemas: {
      ...pluginSchemas(plugins),
      ...Object.assign({}, ...RESOURCE_KINDS.map((kind) => resourceSchemas(kind, bodySchemaOf(kind, plugins)))),
    },
  };
}

type DescribedOperation = readonly [key: OperationKey, description: OperationDescription];

function operationsOf(kind: ResourceKind, list: string): readonly DescribedOperation[] {
  const { tag, one, many, about, body, other = body } = KIND_TEXTS[kind.name];
  const isOtherName = isOtherPath(kind, list);
  const onePath = resourcePath(kind, list);
  const singular = operationName(list);
  const plural = pluralName(list);
  const common = { tag, description: isOtherName ? `Another path of \`${kind.collection}\`. ${about}` : about };
  const onList = { ...common, path: parentParameter(kind) };
  const onOne = { ...common, path: pathParameters(kind, list), query: [GROUP_PARAMETER] };
  const writing = [GROUP_PARAMETER, ...TRIAL_PARAMETERS];
  const schema = schemaRef(schemaName(kind));
  const examples = [{ summary: `Write ${one}`, value: body }];
  const answer = { schema: valueAnswer(kind), example: { value: shownExample(kind) } };
  const creating: DescribedOperation = [
    `POST /${list.slice(1)}`,
    {
      ...{ ...onList, id: `create${singular}`, summary: `Create ${one}` },
      query: writing,
      headers: ['Prefer', 'X-Change-Reason'],
      body: { schema, examples: [{ summary: `Create ${one}`, value: other }] },
      answers: written({ schema: valueAnswer(kind) }),
      refusals: [404, 409],
    },
  ];
  const putting: DescribedOperation = [
    `PUT /${list.slice(1)}`,
    {
      ...{ ...onList, id: `putListed${singular}`, summary: `Create or replace ${one} that the body names` },
      query: writing,
      headers: WRITE_HEADERS,
      body: { schema, examples: [{ summary: `Write ${one}`, value: { [kind.idField]: KIND_TEXTS[kind.name].id, ...body } }] },
      answers: written(answer),
      refusals: [404, 409, 412],
    },
  ];
  return [
    [`GET /${list.slice(1)}`, { ...onList, id: `list${plural}`, summary: `List ${many}`, ...listing(kind), refusals: [404] }],
    ...(kind.isCreatable ? [creating] : []),
    ...(isNamedByBody(kind) ? [putting] : []),
    [
      `GET /${onePath.slice(1)}`,
      {
        ...{ ...onOne, id: `get${singular}`, summary: `Read ${one}`, headers: ['If-None-Match'] },
        answers: {
          200: { description: 'The resource', headers: ['ETag'], ...answer },
          304: { description: 'The client has it already', headers: ['ETag'] },
        },
        refusals: [404],
      },
    ],
    [
      `PUT /${onePath.slice(1)}`,
      {
        ...{ ...onOne, id: `put${singular}`, summary: `Create ${one}, or replace it as a whole`, headers: WRITE_HEADERS, query: writing },
        body: { schema, examples },
        answers: written(answer),
        refusals: [404, 409, 412],
      },
    ],
    [
      `PATCH /${onePath.slice(1)}`,
      {
        ...{ ...onOne, id: `patch${singular}`, summary: `Change ${one} by a patch`, headers: WRITE_HEADERS, query: writing },
        body: patchBody(KIND_TEXTS[kind.name].patches),
        answers: written({ schema: valueAnswer(kind) }),
        refusals: [404, 409, 412],
      },
    ],
    [
      `DELETE /${onePath.slice(1)}`,
      {
        ...{
          ...onOne,
          id: `delete${singular}`,
          summary: `Delete ${one}`,
          headers: ['Prefer', 'If-Match', 'X-Change-Reason'],
          query: writing,
        },
        answers: DELETED,
        refusals: [404, 409, 412],
      },
    ],
  ];
}

/** What generated clients call one of a list: `SecretProvider` for `…/secret_providers`. */
export function operationName(list: string): string {
  return pluralName(list).replace(/s$/, '');
}

function pluralName(list: string): string {
  return pascalCase(list.split('/').at(-1) ?? '');
}

/** The parameters of a resource's path below this path of its list. */
export function pathParameters(kind: ResourceKind, list: string): Readonly<Record<string, PathParameter>> {
  return { ...parentParameter(kind), ...idParameters(kind, isOtherPath(kind, list)) };
}

function isOtherPath({ collection }: ResourceKind, list: string): boolean {
  return !list.endsWith(`/${collection}`);
}

function listing(kind: ResourceKind): Pick<OperationDescription, 'query' | 'answers'> {
  if (kind.form === 'document') {
    const value = Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: shownRef(kind) });
    return { query: [GROUP_PARAMETER], answers: { 200: { description: 'All of them by name', schema: Type.Object({ value }) } } };
  }
  return {
    query: [
      GROUP_PARAMETER,
      // A service's upstreams are few, and at hand as a whole.
      ...listParameters({ ...kind, ...(kind.name === 'upstream' ? { isSortedByName: false, hasCursors: false } : { hasCursors: true }) }),
      ...(kind.name === 'route' || kind.name === 'stream_route' ? [SERVICE_PARAMETER] : []),
    ],
    answers: {
      200: {
        description:
          'What was asked for; `total` counts all that the filters leave, and `next` is for `after`, unless this is the last part',
        schema: Type.Object({
          list: Type.Array(shownRef(kind)),
          total: Type.Integer({ minimum: 0 }),
          next: Type.Optional(Type.String()),
        }),
        example: { list: [shownExample(kind)], total: 1 },
      },
    },
  };
}

const SERVICE_PARAMETER: QueryParameter = {
  name: 'service_id',
  description: 'Keeps the routes of one service',
  schema: Type.String({ minLength: 1 }),
};

function parentParameter(kind: ResourceKind): Readonly<Record<string, PathParameter>> {
  if (kind.parent === undefined) return {};
  const parent = resourceKind(kind.parent);
  const name = KIND_TEXTS[parent.name].idName ?? `${parent.name}_id`;
  const example = KIND_TEXTS[kind.name].parentId ?? '';
  return { parent: { name, description: `The id of ${KIND_TEXTS[parent.name].one}`, schema: parent.idSchema, example } };
}

function idParameters(kind: ResourceKind, isOtherName: boolean): Readonly<Record<string, PathParameter>> {
  const { id, idName, one } = KIND_TEXTS[kind.name];
  const segments = kind.idPath.split('/').map((segment) => segment.slice(1));
  // Under its other name another one, so that the examples do not get in each other's way.
  const values = (isOtherName ? `${id}-2` : id).split('/');
  const parameters = segments.map((segment, index): [string, PathParameter] => {
    // An id of several segments has a pattern of its own, which holds for none of them.
    const schema = segments.length === 1 ? kind.idSchema : Type.String({ minLength: 1 });
    const isId = segment === 'id';
    const named = isId && idName !== undefined ? { name: idName } : {};
    return [segment, { ...named, description: isId ? `The id of ${one}` : 'The kind of manager', schema, example: values[index] ?? '' }];
  });
  return Object.fromEntries(parameters);
}

/** A time in examples: 2026-11-20. */
const EXAMPLE_TIME = 1_795_132_800;

function shownExample(kind: ResourceKind): JsonObject {
  const { id, body } = KIND_TEXTS[kind.name];
  const shown = kind.present(body, id);
  return kind.form === 'document' ? shown : { ...shown, created_at: EXAMPLE_TIME, updated_at: EXAMPLE_TIME };
}

/** What is known of a body besides the kind's own schema. */
function bodySchemaOf(kind: ResourceKind, plugins: readonly PluginSchema[]): TSchema {
  switch (kind.name) {
    case 'secret_provider':
      return { type: 'object', ...kind.schema, anyOf: [...secretProviderSchemas()].map(([title, schema]) => ({ title, ...schema })) };
    case 'plugin_metadata': {
      const own = plugins.filter(({ metadataSchema }) => metadataSchema !== undefined);
      return { ...kind.schema, anyOf: own.map(({ name }) => schemaRef(`Plugin.${name}.metadata`)) };
    }
    default:
      return kind.schema;
  }
}
