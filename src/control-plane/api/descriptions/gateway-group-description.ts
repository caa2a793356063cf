import { resourceKind, Type } from '../../../schema/index.ts';
import {
  type ApiDescription,
  type OperationDescription,
  type QueryParameter,
  resourceSchemas,
  schemaName,
  schemaRef,
  shownRef,
  valueAnswer,
} from '../../openapi/index.ts';
import { KIND_TEXTS } from './kind-texts.ts';
import { listParameters, TRIAL_PARAMETERS } from './parameters.ts';
import { patchBody, WRITE_HEADERS, written } from './writing.ts';

const kind = resourceKind('gateway_group');
const { tag, about, body, other = body, patches } = KIND_TEXTS.gateway_group;
const schema = schemaRef(schemaName(kind));
const onOne: Pick<OperationDescription, 'tag' | 'path'> = {
  tag,
  path: { id: { description: 'The id of a gateway group', schema: kind.idSchema, example: KIND_TEXTS.gateway_group.id } },
};
const storing = { answers: written({ schema: valueAnswer(kind) }) };
const headers = WRITE_HEADERS;

const NAME_PARAMETER: QueryParameter = {
  name: 'name',
  description: 'Keeps the group of exactly this name; it wins over search',
  schema: Type.String({ minLength: 1 }),
};

/** What the document says of gateway groups and their admin keys. */
export const GATEWAY_GROUP_DESCRIPTION: ApiDescription = {
  schemas: resourceSchemas(kind),
  operations: {
    'GET /api/gateway_groups': {
      ...{ id: 'listGatewayGroups', tag, summary: 'List gateway groups', description: about },
      query: [NAME_PARAMETER, ...listParameters({ isSortedByName: false, isLabelled: true, hasCursors: false })],
      answers: {
        200: {
          description: 'What was asked for; `total` counts all',
          schema: Type.Object({ list: Type.Array(shownRef(kind)), total: Type.Integer({ minimum: 0 }) }),
        },
      },
    },
    'POST /api/gateway_groups': {
      ...{
        id: 'createGatewayGroup',
        tag,
        summary: 'Create a gateway group',
        description: 'The id is made by the server; names are unique.',
      },
      headers: ['Prefer', 'X-Change-Reason'],
      query: TRIAL_PARAMETERS,
      body: { schema, examples: [{ summary: 'Create a group', value: other }] },
      ...storing,
      refusals: [409],
    },
    'GET /api/gateway_groups/:id': {
      ...{ ...onOne, id: 'getGatewayGroup', summary: 'Read a gateway group', headers: ['If-None-Match'] },
      answers: {
        200: { description: 'The group', headers: ['ETag'], schema: valueAnswer(kind) },
        304: { description: 'The client has it already', headers: ['ETag'] },
      },
      refusals: [404],
    },
    'PUT /api/gateway_groups/:id': {
      ...{ ...onOne, id: 'putGatewayGroup', summary: 'Replace a gateway group as a whole', headers, query: TRIAL_PARAMETERS },
      description: 'An unknown id is 404.',
      body: { schema, examples: [{ summary: 'Describe the first group', value: body }] },
      ...storing,
      refusals: [404, 409, 412],
    },
    'PATCH /api/gateway_groups/:id': {
      ...{ ...onOne, id: 'patchGatewayGroup', summary: 'Change a gateway group by a patch', headers, query: TRIAL_PARAMETERS },
      body: patchBody(patches),
      ...storing,
      refusals: [404, 409, 412],
    },
    'DELETE /api/gateway_groups/:id': {
      ...{
        ...onOne,
        id: 'deleteGatewayGroup',
        summary: 'Delete a gateway group',
        headers: ['If-Match', 'X-Change-Reason'],
        query: TRIAL_PARAMETERS,
      },
      description: 'Only when nothing is in it and no gateway is connected; `default` never.',
      answers: { 200: { description: 'It is gone', schema: Type.Object({ dry_run: Type.Optional(Type.Boolean()) }), example: {} } },
      refusals: [404, 409, 412],
    },
    'PUT /api/gateway_groups/:id/admin_key': {
      ...{
        ...onOne,
        id: 'renewAdminKey',
        summary: 'Make a new admin key of a gateway group, which ends the former one',
        headers: ['X-Change-Reason'],
      },
      description: 'The key is shown in this answer and nowhere again. As `X-API-KEY` it may do everything in its group.',
      answers: {
        200: {
          description: 'The new key',
          schema: Type.Object({ value: Type.Object({ key: Type.String() }) }),
          example: { value: { key: 'a7adm-…' } },
        },
      },
      refusals: [404],
    },
    'DELETE /api/gateway_groups/:id/admin_key': {
      ...{ ...onOne, id: 'endAdminKey', summary: 'End the admin key of a gateway group', headers: ['X-Change-Reason'] },
      answers: { 200: { description: 'The group has no admin key', schema: Type.Object({}), example: {} } },
      refusals: [404],
    },
  },
};
