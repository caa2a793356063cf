import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { RESOURCE_KINDS, type ResourceKind, resourceKind, Type } from '../../../schema/index.ts';
import {
  type ApiDescription,
  type OperationDescription,
  type OperationKey,
  type QueryParameter,
  schemaRef,
  shownRef,
  valueAnswer,
} from '../../openapi/index.ts';
import { collectionPaths, resourcePath } from '../resource-path.ts';
import { groupRevert, resourceRevert, revivingGroupRevert } from '../revert-body.ts';
import { KIND_TEXTS } from './kind-texts.ts';
import { DRY_RUN, GROUP_PARAMETER } from './parameters.ts';
import { operationName, pathParameters } from './resource-description.ts';
import { written } from './writing.ts';

type DescribedOperation = readonly [key: OperationKey, description: OperationDescription];

const text = Type.String();
const seconds = Type.Integer({ minimum: 0, description: 'Unix seconds' });
const count = Type.Integer({ minimum: 0 });
const author = Type.Object({ id: text, name: text });

const origin = {
  author,
  source: text,
  address: Type.Optional(text),
  user_agent: Type.Optional(text),
  reason: Type.Optional(Type.String({ description: 'What `X-Change-Reason` said' })),
  request_id: Type.Optional(text),
};

const head = {
  revision: Type.Integer({ minimum: 1 }),
  op: Type.Unsafe<string>({ type: 'string', enum: ['put', 'delete'] }),
  at: seconds,
  ...origin,
  secrets: Type.Array(text, { description: 'JSON pointers of its secrets, which no version keeps' }),
};

/** A page of what is listed by revision, and where the next one begins. */
const PAGES: readonly QueryParameter[] = [
  { name: 'page_size', description: '20 when it is not given', schema: Type.Integer({ minimum: 1, maximum: 500 }) },
  { name: 'before', description: 'The `next` of the page before', schema: Type.Integer({ minimum: 0 }) },
];

const revision = (description: string): QueryParameter['schema'] => Type.Integer({ minimum: 0, description });
const operations = Type.Array(Type.Unsafe<JsonObject>({ type: 'object', description: 'An operation of a JSON Patch' }));
const lines = Type.Array(Type.String({ description: 'A change for readers' }));
const next = Type.Optional(Type.String({ description: 'For `before`; absent on the last page' }));

/** What the document says of the history of resources and groups. */
export function historyDescription(): ApiDescription {
  const ofKinds = RESOURCE_KINDS.flatMap((kind) => collectionPaths(kind).flatMap((list) => operationsOf(kind, list)));
  return {
    schemas: {
      VersionHead: Type.Object(head),
      LeftOut: Type.Object({ resource: text, reason: text, pointers: Type.Array(text), message: text }),
    },
    operations: Object.fromEntries([...ofKinds, ...ofGroups()]),
  };
}

function operationsOf(kind: ResourceKind, list: string): readonly DescribedOperation[] {
  const { one, tag } = KIND_TEXTS[kind.name];
  const path = resourcePath(kind, list).slice(1);
  const name = operationName(list);
  const common = { tag, path: pathParameters(kind, list) };
  const isCredential = kind.pluginSite === 'consumer' || kind.pluginSite === 'credential';
  return [
    ...reading(path, name, `${one}, the latest first; it need not exist any more`, one, { ...common, query: [GROUP_PARAMETER] }),
    [
      `POST /${path}/revert`,
      { ...common, id: `revert${name}`, summary: `Bring ${one} back to a version, as a new version`, ...reverting(kind) },
    ],
    ...(isCredential
      ? [
          [
            `POST /${path}/revert_and_revive`,
            {
              ...{ ...common, id: `revive${name}`, summary: `Bring ${one} back to a version, with credentials that ended since` },
              ...reverting(kind),
            },
          ] satisfies DescribedOperation,
        ]
      : []),
  ];
}

/** What is read of the versions of something. `many` says whose they are, and more. */
function reading(
  path: string,
  name: string,
  many: string,
  one: string,
  common: Pick<OperationDescription, 'tag' | 'path'> & { readonly query: readonly QueryParameter[] },
): readonly DescribedOperation[] {
  const { query } = common;
  return [
    [
      `GET /${path}/versions`,
      {
        ...{ ...common, id: `list${name}Versions`, summary: `List the versions of ${many}` },
        query: [...query, ...PAGES],
        answers: {
          200: { description: 'Who, when, why', schema: Type.Object({ list: Type.Array(schemaRef('VersionHead')), total: count, next }) },
        },
        refusals: [404],
      },
    ],
    [
      `GET /${path}/versions/:revision`,
      {
        ...{ ...common, id: `get${name}Version`, summary: `Read a version of ${one}` },
        path: { ...common.path, ...VERSION_PARAMETER },
        answers: {
          200: {
            description: 'The version; one that was a delete has no document',
            schema: Type.Object({ value: Type.Object({ ...head, value: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object' })) }) }),
          },
        },
        refusals: [404],
      },
    ],
    [`GET /${path}/diff`, { ...common, id: `diff${name}`, summary: `Compare ${one} at two revisions`, ...comparing(query) }],
  ];
}

const VERSION_PARAMETER = {
  revision: { description: 'The revision that made the version', schema: Type.Integer({ minimum: 1 }), example: '1' },
};

function comparing(query: readonly QueryParameter[]): Pick<OperationDescription, 'query' | 'answers' | 'refusals'> {
  const state = Type.Unsafe<JsonValue>({ anyOf: [schemaRef('VersionHead'), { type: 'null' }] });
  const secret = Type.Object({ pointer: text, change: Type.Unsafe<string>({ type: 'string', enum: ['added', 'changed', 'removed'] }) });
  return {
    query: [
      ...query,
      { name: 'from', description: 'A revision', schema: revision('What was in force at it'), isRequired: true, example: '0' },
      { name: 'to', description: 'Another revision; without it, what is in force now', schema: revision('What was in force at it') },
    ],
    answers: {
      200: {
        description: 'The difference',
        schema: Type.Object({
          value: Type.Object({ from: state, to: state, patch: operations, secrets: Type.Array(secret), text: lines }),
        }),
      },
    },
    refusals: [404],
  };
}

function reverting(kind: ResourceKind): Pick<OperationDescription, 'description' | 'query' | 'headers' | 'body' | 'answers' | 'refusals'> {
  return {
    description: 'A 409 lists in `left_out` what could not come back.',
    query: [GROUP_PARAMETER, DRY_RUN],
    headers: ['Prefer', 'If-Match', 'X-Change-Reason'],
    body: { schema: resourceRevert.schema, examples: [{ summary: 'Try it without storing anything', value: EXAMPLE }] },
    answers: {
      200: {
        description: 'What is stored now, and what changed',
        headers: ['ETag', 'Portcullis-Revision', 'Portcullis-Applied'],
        schema: Type.Object({
          value: shownRef(kind),
          patch: operations,
          text: lines,
          left_out: Type.Array(schemaRef('LeftOut')),
          dry_run: Type.Optional(Type.Boolean()),
          warning_msg: Type.Optional(text),
        }),
      },
    },
    refusals: [404, 409, 412],
  };
}

const EXAMPLE = { revision: 1 };

function ofGroups(): readonly DescribedOperation[] {
  const { tag, id } = KIND_TEXTS.gateway_group;
  const onGroup = { tag, path: { id: { description: 'The id of a gateway group', schema: Type.String({ minLength: 1 }), example: id } } };
  const named = { restored: Type.Array(text), restored_count: count, deleted: Type.Array(text), deleted_count: count };
  const group = {
    query: [DRY_RUN],
    headers: ['Prefer', 'If-Match', 'X-Change-Reason'] as const,
    answers: {
      200: {
        description: 'What came back, and what did not',
        headers: ['Portcullis-Revision', 'Portcullis-Applied'] as const,
        schema: Type.Object({
          dry_run: Type.Optional(Type.Boolean()),
          revision: count,
          reverted_to: count,
          ...named,
          left_out: Type.Array(schemaRef('LeftOut')),
          left_out_count: count,
        }),
      },
    },
    refusals: [404, 409, 412] as const,
  };
  const changed = Type.Object({ op: text, resource: text });
  return [
    ...reading(
      'api/gateway_groups/:id',
      'GatewayGroup',
      'what was written of a gateway group itself, the latest first',
      'a gateway group',
      {
        ...onGroup,
        query: [],
      },
    ),
    [
      'POST /api/gateway_groups/:id/versions/:revision/revert',
      {
        ...{ ...onGroup, id: 'revertGatewayGroupVersion', summary: 'Bring what was written of a gateway group itself back to a version' },
        description: 'Its name, description, labels and type, as a new version; nothing that is in it, and not its admin key.',
        path: { ...onGroup.path, ...VERSION_PARAMETER },
        query: [DRY_RUN],
        headers: ['Prefer', 'If-Match', 'X-Change-Reason'],
        answers: written({ schema: valueAnswer(resourceKind('gateway_group')) }),
        refusals: [404, 409, 412],
      },
    ],
    [
      'GET /api/gateway_groups/:id/revisions',
      {
        ...{ ...onGroup, id: 'listRevisions', summary: 'List the revisions of a gateway group, each with what it changed' },
        query: PAGES,
        answers: {
          200: {
            description: 'The latest first; `kept_from` is the first that can be brought back',
            schema: Type.Object({
              list: Type.Array(Type.Object({ revision: count, at: seconds, ...origin, changes: count, resources: Type.Array(changed) })),
              revision: count,
              kept_from: count,
              next,
            }),
          },
        },
        refusals: [404],
      },
    ],
    [
      'POST /api/gateway_groups/:id/revert',
      {
        ...{
          ...onGroup,
          ...group,
          id: 'revertGatewayGroup',
          summary: 'Bring everything in a gateway group back to a revision, as one new revision',
        },
        body: { schema: groupRevert.schema, examples: [{ summary: 'Try it without storing anything', value: EXAMPLE }] },
      },
    ],
    [
      'POST /api/gateway_groups/:id/revert_and_revive',
      {
        ...{ ...onGroup, ...group, id: 'reviveGatewayGroup', summary: 'The same, with credentials that are named' },
        body: {
          schema: revivingGroupRevert.schema,
          examples: [
            { summary: 'Try it without storing anything', value: { ...EXAMPLE, credentials: ['consumer/jack/credential/jack-key'] } },
          ],
        },
      },
    ],
  ];
}
