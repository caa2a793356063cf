import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';
import { compileSchema } from './compile-schema.ts';
import { equalItems } from './unique-items.ts';

function faultOf(schema: JsonValue, data: unknown): string | undefined {
  const compiled = compileSchema(schema);
  assert.equal(compiled.kind, 'schema', JSON.stringify(compiled));
  return compiled.kind === 'schema' ? compiled.findFault(data) : undefined;
}

function problemOf(schema: JsonValue): string {
  const compiled = compileSchema(schema);
  return compiled.kind === 'invalid' ? compiled.message : '';
}

test('each keyword has the text of the library that APISIX uses', () => {
  const rows: readonly (readonly [JsonObject, unknown, string])[] = [
    [{ type: 'string' }, 1, 'wrong type: expected string, got number'],
    [{ type: 'string' }, null, 'wrong type: expected string, got userdata'],
    [{ type: 'string' }, {}, 'wrong type: expected string, got table'],
    [{ type: ['string', 'null'] }, true, 'wrong type: expected one of string, null, got boolean'],
    [{ required: ['a'] }, {}, 'property "a" is required'],
    [{ dependencies: { a: ['b'] } }, { a: 1 }, 'property "b" is required when "a" is set'],
    [{ additionalProperties: false }, { a: 1 }, 'additional properties forbidden, found a'],
    [{ minProperties: 1 }, {}, 'expect object to have at least 1 properties'],
    [{ maxProperties: 0 }, { a: 1 }, 'expect object to have at most 0 properties'],
    [{ minItems: 2 }, [1], 'expect array to have at least 2 items'],
    [{ maxItems: 0 }, [1], 'expect array to have at most 0 items'],
    [{ items: [{}], additionalItems: false }, [1, 2], 'found unexpected extra items in array'],
    [{ uniqueItems: true }, [1, 2, 1], 'expected unique items but items 1 and 3 are equal'],
    [{ contains: { const: 1 } }, [2], 'failed to check contains'],
    [{ minLength: 2 }, 'é', 'string too short, expected at least 2, got 1'],
    [{ maxLength: 1 }, 'ab', 'string too long, expected at most 1, got 2'],
    [{ pattern: '^a"$' }, 'b', 'failed to match pattern "^a\\"$" with "b"'],
    [{ minimum: 1 }, 0, 'expected 0 to be at least 1'],
    [{ exclusiveMinimum: 0 }, 0, 'expected 0 to be greater than 0'],
    [{ maximum: 65535 }, 65536, 'expected 65536 to be at most 65535'],
    [{ exclusiveMaximum: 1 }, 1, 'expected 1 to be smaller than 1'],
    [{ multipleOf: 2 }, 3, 'expected 3 to be a multiple of 2'],
    [{ enum: ['a'] }, 'b', 'matches none of the enum values'],
    [{ const: 1 }, 2, 'failed to check const value'],
    [{ format: 'email' }, 'x', 'expect valid email address but got: x'],
    [{ format: 'ipv4' }, '1.2.3', 'expect valid ipv4 address but got: 1.2.3'],
    [{ format: 'ipv6' }, ':', 'expect valid ipv6 address but got: :'],
    [{ format: 'hostname' }, 'a b', 'expect valid hostname but got: a b'],
    [{ anyOf: [{ required: ['a'] }, { required: ['b'] }] }, {}, 'object matches none of the required'],
    [{ oneOf: [{ type: 'string' }] }, 1, 'value should match only one schema, but matches none'],
    [{ oneOf: [{ type: 'string' }, {}, {}] }, 1, 'value should match only one schema, but matches both schemas 2 and 3'],
    [{ not: {} }, 1, "value wasn't supposed to match schema"],
    [JSON.parse('{"if":{},"then":{"type":"string"}}'), 1, 'wrong type: expected string, got number'],
    [{ if: false, else: { type: 'string' } }, 1, 'wrong type: expected string, got number'],
    [{ propertyNames: { maxLength: 1 } }, { ab: 1 }, 'the name of a property is not allowed'],
    [{ properties: { a: false } }, { a: 1 }, 'property "a" validation failed: expect false always'],
  ];
  for (const [schema, data, text] of rows) assert.equal(faultOf(schema, data), text, JSON.stringify(schema));
});

test('the text tells where the fault lies, outermost first, and cuts long values', () => {
  const schema = { properties: { 'a/b': { items: { properties: { c: { type: 'string', maxLength: 1 } } } } } };
  assert.equal(
    faultOf(schema, { 'a/b': [{}, { c: 1 }] }),
    'property "a/b" validation failed: failed to validate item 2: property "c" validation failed: wrong type: expected string, got number',
  );
  const long = faultOf({ pattern: '^b' }, 'a'.repeat(100_000));
  assert.ok(long !== undefined && long.length < 400);
});

test('what matches has no fault', () => {
  const rows: readonly (readonly [JsonObject, unknown])[] = [
    [{ type: 'integer' }, 1],
    [{ format: 'email' }, 'a.b@c.de'],
    [{ format: 'ipv6' }, '::1'],
    [{ format: 'date-time' }, 'no format that is known'],
    [{ multipleOf: 0.1 }, 0.3],
    [{ pattern: '^é$' }, 'é'],
    [{ uniqueItems: false }, [1, 1]],
    [{ title: 'x', examples: [1], nullable: true }, null],
  ];
  for (const [schema, data] of rows) assert.equal(faultOf(schema, data), undefined, JSON.stringify(schema));
});

test('only members of the data itself count', () => {
  assert.equal(faultOf({ required: ['constructor'] }, {}), 'property "constructor" is required');
  assert.equal(faultOf({ properties: { toString: { type: 'string' } } }, {}), undefined);
});

test('defaults are written into the data', () => {
  const data = { inner: {} };
  const schema = { properties: { a: { default: [1] }, inner: { properties: { b: { default: 'x' } } } } };
  assert.equal(faultOf(schema, data), undefined);
  assert.deepEqual(data, { a: [1], inner: { b: 'x' } });
});

test('drafts 4, 6 and 7 are understood', () => {
  const draft4 = { $schema: 'http://json-schema.org/draft-04/schema#', id: 'http://example.com/x', type: 'number' };
  assert.equal(faultOf(draft4, 1), undefined);
  assert.equal(faultOf({ minimum: 1, exclusiveMinimum: true }, 1), 'expected 1 to be greater than 1');
  assert.equal(faultOf({ minimum: 1, exclusiveMinimum: false }, 1), undefined);
  assert.equal(faultOf({ maximum: 1, exclusiveMaximum: true }, 1), 'expected 1 to be smaller than 1');
  assert.equal(faultOf({ properties: { id: { type: 'string' }, exclusiveMinimum: { type: 'boolean' } } }, { id: 'x' }), undefined);
});

test('references lead to places inside the schema only', () => {
  const list = {
    definitions: { node: { properties: { next: { $ref: '#/definitions/node' } }, required: ['v'] } },
    $ref: '#/definitions/node',
  };
  assert.equal(faultOf(list, { v: 1, next: { v: 2 } }), undefined);
  assert.equal(faultOf(list, { v: 1, next: {} }), 'property "next" validation failed: property "v" is required');
  assert.equal(faultOf({ definitions: { a: { $id: '#a', type: 'string' } }, $ref: '#a' }, 1), 'wrong type: expected string, got number');
  for (const $ref of ['http://example.com/x', 'other.json#/a', '/x', 1]) {
    assert.equal(problemOf({ properties: { a: { $ref } } }), 'a $ref must lead to a place inside the schema');
  }
  assert.match(problemOf({ $ref: '#/definitions/none' }), /can't resolve reference/);
});

test('what does not compile is invalid, with a text that says why', () => {
  for (const schema of [
    { type: 'text' },
    { enum: [] },
    { minLength: -1 },
    { properties: { a: 1 } },
    { properties: [] },
    { anyOf: {} },
    { anyOf: [] },
    { required: 'a' },
    { items: 'x' },
    { pattern: '(' },
    { patternProperties: { '(a)\\1': {} } },
  ]) {
    assert.notEqual(problemOf(schema), '', JSON.stringify(schema));
  }
  assert.match(problemOf({ pattern: '(?=a)' }), /the pattern "\(\?=a\)" is invalid: ./);
});

test('the size of a schema is bounded', () => {
  const wide = (count: number) => ({
    properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: 'string' }])),
  });
  assert.equal(problemOf(wide(499)), '');
  assert.equal(problemOf(wide(500)), 'the schema holds more than 500 schemas');
  let deep: JsonObject = {};
  for (let level = 0; level < 65; level++) deep = { not: deep };
  assert.equal(problemOf(deep), 'the schema is nested more than 64 levels deep');
});

test('each pattern is its own, and takes linear time', () => {
  const schema = { properties: { a: { pattern: '^a+$' }, b: { pattern: '^b+$' } }, patternProperties: { '^x': { pattern: '^(c+)+$' } } };
  assert.equal(faultOf(schema, { a: 'aa', b: 'bb', x1: 'cc' }), undefined);
  assert.match(faultOf(schema, { b: 'aa' }) ?? '', /property "b" validation failed: failed to match/);
  assert.match(faultOf(schema, { x1: `${'c'.repeat(50_000)}d` }) ?? '', /failed to match pattern/);
});

test('items are told apart in linear time, whatever the order of their members', () => {
  assert.deepEqual(equalItems([{ a: 1, b: [2] }, 1, { b: [2], a: 1 }]), [0, 2]);
  assert.equal(equalItems([1, '1', [1], { 1: 1 }, null, 'null', true, [], {}, [[]], 1.5]), undefined);
  assert.equal(equalItems(Array.from({ length: 50_000 }, (_, index) => ({ index }))), undefined);
});

test('schemas that would be asked without end are given up', () => {
  const definitions: Record<string, JsonValue> = { d40: { type: 'string' } };
  for (let index = 0; index < 40; index++) {
    const next = { $ref: `#/definitions/d${index + 1}` };
    definitions[`d${index}`] = { allOf: [next, next] };
  }
  assert.equal(faultOf({ definitions, $ref: '#/definitions/d0' }, 'x'), 'the value takes too long to validate');
  assert.equal(
    faultOf({ definitions: { a: { $ref: '#/definitions/a' } }, $ref: '#/definitions/a' }, 'x'),
    'the value is nested too deeply',
  );
});
