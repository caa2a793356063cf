import type { JsonValue } from '../../../lib/json.ts';
import { RESOURCE_KINDS, resourceKind, Type } from '../../../schema/index.ts';
import type { ApiDescription } from '../../openapi/index.ts';
import { BULK_LIMITS } from '../bulk-limits.ts';
import { KIND_TEXTS } from './kind-texts.ts';
import { DRY_RUN } from './parameters.ts';

const text = Type.String();
const count = Type.Integer({ minimum: 0 });
const condition = Type.Unsafe<string | number>({
  type: ['string', 'integer'],
  description: 'As the header of this name; a revision stands for its tag',
});

const operation = Type.Object(
  {
    kind: Type.Unsafe<string>({ type: 'string', enum: RESOURCE_KINDS.map(({ name }) => name) }),
    id: Type.String({ description: 'What stands last in the path of the resource' }),
    parent: Type.Optional(Type.String({ description: 'The consumer of a credential, the service of an upstream' })),
    method: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['put', 'patch', 'delete'], default: 'put' })),
    body: Type.Optional(Type.Unsafe<JsonValue>({ description: 'As a PUT or PATCH of the resource has it; none for delete' })),
    if_match: Type.Optional(condition),
    if_none_match: Type.Optional(condition),
  },
  { additionalProperties: false },
);

/** What the document says of many changes at once. */
export const BULK_DESCRIPTION: ApiDescription = {
  operations: {
    'POST /api/gateway_groups/:id/bulk': {
      ...{ id: 'applyBulk', tag: 'Bulk', summary: 'Apply many changes to a gateway group as one revision, or none of them' },
      description:
        'The order does not matter. The body may also be one operation a line (NDJSON). A refusal lists in `errors` what is wrong with each operation.',
      path: {
        id: {
          description: 'The id of a gateway group',
          schema: resourceKind('gateway_group').idSchema,
          example: KIND_TEXTS.gateway_group.id,
        },
      },
      query: [DRY_RUN],
      headers: ['Prefer', 'If-Match', 'X-Change-Reason'],
      body: {
        schema: Type.Array(operation, { maxItems: BULK_LIMITS.operations }),
        examples: [
          {
            summary: 'Try it without storing anything',
            value: [
              { kind: 'consumer', id: 'jim', body: { username: 'jim' } },
              {
                kind: 'credential',
                parent: 'jim',
                id: 'laptop',
                body: { plugins: { 'key-auth': { key: 'choose-a-long-random-text-3' } } },
              },
            ],
          },
        ],
        otherTypes: { 'application/x-ndjson': text },
      },
      answers: {
        200: {
          description: 'What was done, or would be',
          headers: ['Portcullis-Revision', 'Portcullis-Applied'],
          schema: Type.Object({
            value: Type.Object({ revision: count, created: count, updated: count, deleted: count, dry_run: Type.Optional(Type.Boolean()) }),
            warning_msg: Type.Optional(text),
          }),
          example: { value: { revision: 7, created: 4, updated: 0, deleted: 0 } },
        },
      },
      refusals: [404, 409, 412],
    },
  },
};
