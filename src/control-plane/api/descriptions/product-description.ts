import type { JsonValue } from '../../../lib/json.ts';
import { Type } from '../../../schema/index.ts';
import type { ApiDescription, OperationDescription } from '../../openapi/index.ts';

const tag = 'Product';

function probe(id: string, summary: string): OperationDescription {
  const schema = Type.Object({ status: Type.Unsafe<string>({ const: 'ok' }) });
  return { id, tag, summary, answers: { 200: { description: 'It answers', schema, example: { status: 'ok' } } } };
}

/** What the document says of what the product tells of itself. */
export const PRODUCT_DESCRIPTION: ApiDescription = {
  operations: {
    'GET /healthz': probe('getHealth', 'Tell that the control plane answers'),
    'GET /api/status': probe('getStatus', 'Tell that the control plane answers'),
    'GET /api/version': {
      ...{ id: 'getVersion', tag, summary: 'Tell the level of the Admin API that is spoken' },
      description: 'The version of the software itself is in the header `Portcullis-Version`.',
      answers: { 200: { description: 'The level', schema: Type.Object({ value: Type.String() }), example: { value: '3.10.5' } } },
    },
    'GET /api/license': {
      ...{ id: 'getLicense', tag, summary: 'Tell of the license; there is nothing to license' },
      answers: { 200: { description: 'Nothing', schema: Type.Object({ value: Type.Object({}) }), example: { value: {} } } },
    },
    'PUT /api/license': {
      ...{ id: 'putLicense', tag, summary: 'Take a license and store nothing of it' },
      body: { schema: Type.Unsafe<JsonValue>({}), isOptional: true, examples: [{ summary: 'Send anything', value: {} }] },
      answers: {
        200: {
          description: 'Nothing was stored',
          schema: Type.Object({ value: Type.Object({}), warning_msg: Type.String() }),
        },
      },
    },
    'GET /api/schema/core': {
      ...{ id: 'getCoreSchemas', tag, summary: 'Give the JSON Schemas of the resources, with their defaults' },
      answers: {
        200: {
          description: 'Schemas by the name of the kind',
          schema: Type.Object({ value: Type.Unsafe<JsonValue>({ type: 'object', additionalProperties: { type: 'object' } }) }),
        },
      },
    },
  },
};
