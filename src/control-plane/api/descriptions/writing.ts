import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { type TSchema, Type } from '../../../schema/index.ts';
import type { OperationDescription } from '../../openapi/index.ts';

type Answers = OperationDescription['answers'];

/** Headers of a write that may depend on what is there. */
export const WRITE_HEADERS = ['Prefer', 'If-Match', 'If-None-Match', 'X-Change-Reason'] as const;

/** The answer of a write that stores something. */
export function written(answer: { readonly schema: TSchema; readonly example?: JsonValue }): Answers {
  const headers = ['ETag', 'Portcullis-Revision', 'Portcullis-Applied'] as const;
  return { 200: { description: 'What is stored now', headers, ...answer } };
}

/** The answer of a delete. */
export const DELETED: Answers = {
  200: {
    description: 'It is gone',
    headers: ['Portcullis-Revision', 'Portcullis-Applied'],
    schema: Type.Object({ dry_run: Type.Optional(Type.Boolean()) }),
    example: {},
  },
};

const PATCHES = {
  merge: { desc: 'Changed by a merge patch' },
  operations: [{ op: 'add', path: '/desc', value: 'Changed by a JSON Patch' }],
};

const mergePatch: TSchema = Type.Unsafe<JsonObject>({
  type: 'object',
  description: 'A JSON Merge Patch (RFC 7396): `null` takes a field away',
});

const jsonPatch: TSchema = Type.Array(
  Type.Object({
    op: Type.Unsafe<string>({ type: 'string', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] }),
    path: Type.String({ description: 'A JSON pointer' }),
    from: Type.Optional(Type.String({ description: 'A JSON pointer' })),
    value: Type.Optional(Type.Unsafe<JsonValue>({})),
  }),
  { maxItems: 10_000, description: 'A JSON Patch (RFC 6902)' },
);

/** What PATCH reads. */
export function patchBody(
  patches: { readonly merge: JsonObject; readonly operations: readonly JsonValue[] } = PATCHES,
): NonNullable<OperationDescription['body']> {
  return {
    schema: Type.Unsafe<JsonValue>({ oneOf: [mergePatch, jsonPatch] }),
    examples: [
      { summary: 'A merge patch', value: patches.merge },
      { summary: 'A JSON Patch', value: patches.operations },
    ],
    otherTypes: { 'application/merge-patch+json': mergePatch, 'application/json-patch+json': jsonPatch },
  };
}
