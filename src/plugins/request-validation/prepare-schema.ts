import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';

/** A schema of a user's that is fit to be compiled; or why it is not. */
export type PreparedSchema =
  | { readonly kind: 'ready'; readonly schema: JsonObject }
  | { readonly kind: 'invalid'; readonly message: string };

/** A larger schema would hold up a worker for too long while it is compiled. */
const MAX_SUBSCHEMAS = 500;
const MAX_DEPTH = 64;

/** Added to every schema: whoever validates data counts by it how often a schema was asked. */
export const STEP_KEYWORD = 'portcullisStep';

/** Keywords that are taken as they are. All that is not named here is left out: titles, examples, keywords of other dialects. */
const PLAIN_KEYWORDS: ReadonlySet<string> = new Set([
  'type',
  'enum',
  'const',
  'multipleOf',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'maxProperties',
  'minProperties',
  'required',
  'format',
  'default',
]);
/** Keywords whose value is a schema, or for `items` a list of them. */
const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  'items',
  'additionalItems',
  'contains',
  'additionalProperties',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
]);
const LIST_KEYWORDS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf']);
/** Keywords whose value holds schemas by name; those of `dependencies` may be lists of names, too. */
const MAP_KEYWORDS: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependencies']);

/**
 * Reads a JSON Schema (draft 4, 6 or 7) as draft 7: references lead to places inside the schema only, bounds that draft 4 makes exclusive
 * by a boolean are exclusive bounds, identifiers are left out, and the number of schemas in it is bounded.
 */
export function prepareSchema(schema: JsonValue): PreparedSchema {
  try {
    const prepared = new Preparation().schema(schema, 0);
    return isObject(prepared) ? { kind: 'ready', schema: prepared } : { kind: 'invalid', message: 'a schema must be an object' };
  } catch (error) {
    if (error instanceof UnfitSchema) return { kind: 'invalid', message: error.message };
    throw error;
  }
}

/** Thrown and caught in this file only. */
class UnfitSchema extends Error {}

class Preparation {
  #count = 0;

  schema(schema: JsonValue, depth: number): JsonValue {
    if (++this.#count > MAX_SUBSCHEMAS) throw new UnfitSchema(`the schema holds more than ${MAX_SUBSCHEMAS} schemas`);
    if (depth > MAX_DEPTH) throw new UnfitSchema(`the schema is nested more than ${MAX_DEPTH} levels deep`);
    if (typeof schema === 'boolean') return schema;
    if (!isObject(schema)) throw new UnfitSchema('a schema must be an object or a boolean');
    const prepared: Record<string, JsonValue> = { [STEP_KEYWORD]: true };
    for (const [keyword, value] of Object.entries(schema)) {
      const taken = this.#keyword(keyword, value, depth);
      if (taken !== undefined) prepared[keyword] = taken;
    }
    return withExclusiveBounds(prepared);
  }

  #keyword(keyword: string, value: JsonValue, depth: number): JsonValue | undefined {
    if (PLAIN_KEYWORDS.has(keyword)) return value;
    if (keyword === '$ref') return localReference(value);
    // An anchor inside the schema; every other identifier would only change what references mean.
    if (keyword === '$id') return typeof value === 'string' && value.startsWith('#') ? value : undefined;
    if (LIST_KEYWORDS.has(keyword) || (keyword === 'items' && Array.isArray(value))) return this.#list(keyword, value, depth);
    if (SCHEMA_KEYWORDS.has(keyword)) return this.schema(value, depth + 1);
    return MAP_KEYWORDS.has(keyword) ? this.#map(keyword, value, depth) : undefined;
  }

  #list(keyword: string, value: JsonValue, depth: number): JsonValue {
    if (!Array.isArray(value)) throw new UnfitSchema(`${keyword} must be an array`);
    return value.map((item: JsonValue) => this.schema(item, depth + 1));
  }

  #map(keyword: string, value: JsonValue, depth: number): JsonValue {
    if (!isObject(value)) throw new UnfitSchema(`${keyword} must be an object`);
    const isNames = (item: JsonValue): boolean => keyword === 'dependencies' && Array.isArray(item);
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, isNames(item) ? item : this.schema(item, depth + 1)]));
  }
}

function localReference(value: JsonValue): JsonValue {
  if (typeof value !== 'string' || !value.startsWith('#')) throw new UnfitSchema('a $ref must lead to a place inside the schema');
  return value;
}

/** Draft 4: `minimum` with `exclusiveMinimum: true` is what later drafts write as `exclusiveMinimum`. */
function withExclusiveBounds(schema: Readonly<Record<string, JsonValue>>): JsonObject {
  const bounded = { ...schema };
  for (const [bound, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    // biome-ignore format: pairs
    const limit = bounded[bound];
    const isExclusive = bounded[exclusive];
    if (typeof isExclusive !== 'boolean') continue;
    delete bounded[exclusive];
    if (!isExclusive || limit === undefined) continue;
    delete bounded[bound];
    bounded[exclusive] = limit;
  }
  return bounded;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
