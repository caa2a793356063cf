import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject, type TSchema } from '../../schema/index.ts';

/** Keywords below which names stand that users chose, not keywords. */
const MAPS_OF_SCHEMAS: ReadonlySet<string> = new Set(['properties', 'patternProperties']);
/** Keywords whose values are data. */
const DATA: ReadonlySet<string> = new Set(['default', 'enum', 'const', 'example', 'examples', 'required']);

/**
 * A schema of the product in the dialect of OpenAPI 3.1 (JSON Schema 2020-12). What differs is the keyword `nullable`, which is a type of
 * its own there.
 */
export function documentSchema(schema: TSchema): JsonObject {
  // A schema is data; through JSON it is nothing else, and the copy is ours.
  const copy: JsonValue = JSON.parse(JSON.stringify(schema));
  return isJsonObject(copy) ? translated(copy) : {};
}

function translated(schema: JsonObject): JsonObject {
  const { nullable, ...rest } = schema;
  const type = nullable === true && typeof rest.type === 'string' ? { type: [rest.type, 'null'] } : {};
  return Object.fromEntries(Object.entries({ ...rest, ...type }).map(([name, value]) => [name, translatedKeyword(name, value)]));
}

function translatedKeyword(name: string, value: JsonValue): JsonValue {
  if (DATA.has(name)) return value;
  if (MAPS_OF_SCHEMAS.has(name) && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, schema]) => [key, isJsonObject(schema) ? translated(schema) : schema]));
  }
  if (Array.isArray(value)) return value.map((each: JsonValue) => (isJsonObject(each) ? translated(each) : each));
  return isJsonObject(value) ? translated(value) : value;
}
