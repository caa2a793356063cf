import assert from 'node:assert/strict';
import test from 'node:test';
import { Type as TypeBox } from 'typebox';
import { Type } from './schema-builder.ts';

type Builder = typeof Type;

/** Every function, with and without options, and what combining them can go wrong with. */
function examples(build: Builder): readonly object[] {
  const name = build.String({ minLength: 1 });
  const optional = build.Optional(build.Integer({ default: 0, minimum: 0 }));
  return [
    name,
    build.String({ ...name, default: 'default' }),
    build.Integer(),
    build.Number({ exclusiveMinimum: 0 }),
    build.Boolean({ default: true }),
    build.Array(name, { minItems: 1, uniqueItems: true }),
    optional,
    build.Optional(optional),
    build.Object({}),
    build.Object({ optional }),
    build.Object({ name, optional, inner: build.Object({ name }) }, { additionalProperties: false }),
    // An optional schema that is spread into another is optional no more.
    build.Object({ copied: build.Unsafe<number>({ ...optional, maximum: 5 }) }),
    build.Object({ unsafe: build.Optional(build.Unsafe<'a' | 'b'>({ type: 'string', enum: ['a', 'b'] })) }),
  ];
}

test('a schema has the form that TypeBox gives it, in the order in which it is published', () => {
  assert.deepEqual(
    examples(Type).map((schema) => JSON.stringify(schema)),
    examples(TypeBox).map((schema) => JSON.stringify(schema)),
  );
});

test('a schema that is used twice is optional only where it was made so', () => {
  const name = Type.String();
  Type.Optional(name);
  assert.deepEqual(Type.Object({ name }).required, ['name']);
});
