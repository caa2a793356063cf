import { type TSchema, Type } from '../../schema/index.ts';
import { type OperationDescription, type PathParameter, schemaRef } from '../openapi/index.ts';

type Answers = OperationDescription['answers'];

/** An answer `{"value":…}`. With a version it has an `ETag`, and a write of it may ask for `If-Match`. */
export function valueAnswer(description: string, value: TSchema, options: { readonly hasVersion?: true } = {}): Answers {
  const headers = options.hasVersion === true ? { headers: ['ETag'] as const } : {};
  return { 200: { description, schema: Type.Object({ value }), ...headers } };
}

/** A list of what a schema is called. */
export function listOf(schema: string): Answers {
  const list = Type.Array(schemaRef(schema));
  return {
    200: { description: 'What was asked for; `total` counts all', schema: Type.Object({ list, total: Type.Integer({ minimum: 0 }) }) },
  };
}

/** The answer of what leaves nothing to show. */
export const DONE: Answers = { 200: { description: 'It is done', schema: Type.Object({}), example: {} } };

/** The id in a path, which the server has made. */
export function madeId(description: string): Readonly<Record<string, PathParameter>> {
  return { id: { description, schema: Type.String({ minLength: 1, maxLength: 256 }), example: '7d3c1f0a-4b52-4a7e-9a55-0f6f3f0c9b11' } };
}

/** A time, as answers tell it. */
export function secondsField(description: string): TSchema {
  return Type.Integer({ minimum: 0, description: `${description}, in Unix seconds` });
}
