import fc, { type Arbitrary } from 'fast-check';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { appendPointer, isJsonObject } from '../../schema/index.ts';

/** A field of a document that a schema describes, and what it would be refused for. */
export interface DescribedField {
  readonly pointer: string;
  readonly path: readonly (string | number)[];
  /** A value of another type. */
  readonly wrong: JsonValue;
}

const MAX_ITEMS = 3;
const MAX_CHARACTERS = 24;
const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Documents that a JSON Schema of the product accepts, of any shape that it allows, unknown fields among them. */
export function arbitraryDocument(schema: JsonObject): Arbitrary<JsonObject> {
  const unknown = fc.dictionary(
    fc.stringMatching(/^x_[a-z]{1,8}$/),
    fc.jsonValue({ maxDepth: 2 }).map((value): JsonValue => JSON.parse(JSON.stringify(value))),
    { maxKeys: 1 },
  );
  return fc.tuple(arbitraryObject(schema), unknown.filter(isStorable)).map(([document, more]) => ({ ...document, ...more }));
}

/** The fields of a document that its schema describes, down to `plugins` and other free objects. */
export function describedFields(document: JsonObject, schema: JsonObject): readonly DescribedField[] {
  return fieldsOf(document, schema, '', []);
}

function fieldsOf(value: JsonValue, schema: JsonObject, pointer: string, path: readonly (string | number)[]): readonly DescribedField[] {
  const own = path.length === 0 ? [] : [{ pointer, path, wrong: wrongFor(schema.type) }];
  if (Array.isArray(value)) {
    const items = asObject(schema.items);
    return [...own, ...value.flatMap((item: JsonValue, index) => fieldsOf(item, items, appendPointer(pointer, index), [...path, index]))];
  }
  if (!isJsonObject(value)) return schema.type === undefined ? [] : own;
  const properties = asObject(schema.properties);
  const inner = Object.entries(value).flatMap(([name, field]) => {
    const fieldSchema = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    return isJsonObject(fieldSchema) ? fieldsOf(field, fieldSchema, appendPointer(pointer, name), [...path, name]) : [];
  });
  return [...own, ...inner];
}

function wrongFor(type: JsonValue | undefined): JsonValue {
  return type === 'string' ? 7 : type === 'object' ? [] : type === 'array' ? {} : 'not this type';
}

function arbitraryValue(schema: JsonObject): Arbitrary<JsonValue> {
  const { type, nullable } = schema;
  const value = Array.isArray(schema.enum) ? fc.constantFrom<JsonValue>(...schema.enum) : arbitraryOfType(schema, type);
  return nullable === true ? fc.oneof(value, fc.constant(null)) : value;
}

function arbitraryOfType(schema: JsonObject, type: JsonValue | undefined): Arbitrary<JsonValue> {
  switch (type) {
    case 'string':
      return arbitraryText(schema);
    case 'integer':
      return fc.integer(boundsOf(schema, 1));
    case 'number':
      return fc.double({ ...boundsOf(schema, 0.5), noNaN: true }).map((value) => (value === 0 ? 0 : value));
    case 'boolean':
      return fc.boolean();
    case 'array':
      return arbitraryArray(schema);
    case 'object':
      return arbitraryObject(schema);
    default:
      return fc.constantFrom<JsonValue>('free', 1, true);
  }
}

function boundsOf(schema: JsonObject, step: number): { min: number; max: number } {
  const min = numberOf(schema.minimum) ?? (numberOf(schema.exclusiveMinimum) ?? -1_000_000 - step) + step;
  return { min, max: numberOf(schema.maximum) ?? Math.max(min, 1_000_000) };
}

function arbitraryText(schema: JsonObject): Arbitrary<string> {
  const minLength = numberOf(schema.minLength) ?? 0;
  const maxLength = Math.min(numberOf(schema.maxLength) ?? MAX_CHARACTERS, MAX_CHARACTERS);
  const { pattern } = schema;
  const text = typeof pattern === 'string' ? fc.stringMatching(new RegExp(pattern), { maxLength }) : fc.string({ minLength, maxLength });
  return text.filter((each) => each.isWellFormed() && [...each].length >= minLength && !RESERVED.has(each));
}

function arbitraryArray(schema: JsonObject): Arbitrary<JsonValue[]> {
  const bounds = { minLength: numberOf(schema.minItems) ?? 0, maxLength: Math.min(numberOf(schema.maxItems) ?? MAX_ITEMS, MAX_ITEMS) };
  const item = arbitraryValue(asObject(schema.items));
  return schema.uniqueItems === true
    ? fc.uniqueArray(item, { ...bounds, selector: (each) => JSON.stringify(each) })
    : fc.array(item, bounds);
}

function arbitraryObject(schema: JsonObject): Arbitrary<JsonObject> {
  const properties = Object.entries(asObject(schema.properties));
  const required = Array.isArray(schema.required) ? schema.required : [];
  const model = Object.fromEntries(properties.map(([name, field]) => [name, arbitraryValue(asObject(field))]));
  const known = fc.record(model, { requiredKeys: required.filter((name) => typeof name === 'string'), noNullPrototype: true });
  if (!isJsonObject(schema.additionalProperties)) return known;
  const key = fc.string({ minLength: 1, maxLength: MAX_CHARACTERS }).filter((name) => name.isWellFormed() && !RESERVED.has(name));
  const more = fc.dictionary(key, arbitraryValue(schema.additionalProperties), { maxKeys: MAX_ITEMS, noNullPrototype: true });
  return fc.tuple(known, more).map(([fields, others]) => ({ ...others, ...fields }));
}

/** Whether JSON text gives exactly this value back, under names that may be stored. */
function isStorable(value: JsonObject): boolean {
  const text = JSON.stringify(value);
  return text.isWellFormed() && !/__proto__|\\ud[89a-f]/.test(text);
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
