import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { type JsonObject, type JsonValue, type PluginSchema, readPluginConfiguration } from '../plugin-kit/index.ts';
import { configurationError, exampleOf, readExamples } from '../plugin-kit/testing/index.ts';
import { isJsonObject } from '../schema/index.ts';
import { PLUGIN_SCHEMAS } from './schemas.ts';

/** A field whose parents are objects, so that a value can be put there. */
interface Field {
  readonly steps: readonly string[];
  readonly schema: JsonObject;
}

/** The fields that a schema declares, also those inside its objects. */
function fieldsOf(schema: JsonObject, steps: readonly string[] = []): readonly Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]: [string, JsonValue]) => {
    if (!isJsonObject(inner)) return [];
    const here: Field = { steps: [...steps, name], schema: inner };
    return [here, ...fieldsOf(here.schema, here.steps)];
  });
}

/** Values just outside of what a field allows, with what is wrong about them. */
function badValues(schema: JsonObject): readonly (readonly [what: string, value: JsonValue])[] {
  const { type, minimum, exclusiveMinimum, maximum, exclusiveMaximum, minLength, maxLength, minItems, maxItems, minProperties } = schema;
  const whole = type === 'integer';
  const bad: (readonly [string, JsonValue])[] = [];
  if (typeof type === 'string') bad.push(['another type', type === 'boolean' ? 'yes' : true]);
  if (Array.isArray(schema.enum)) bad.push(['not in the list', type === 'integer' ? 987_654 : 'no such choice']);
  if (whole) bad.push(['a fraction', 1.5]);
  if (typeof minimum === 'number') bad.push(['below the minimum', minimum - (whole ? 1 : 0.001)]);
  if (typeof exclusiveMinimum === 'number') bad.push(['at the excluded minimum', exclusiveMinimum]);
  if (typeof maximum === 'number') bad.push(['above the maximum', maximum + (whole ? 1 : 0.001)]);
  if (typeof exclusiveMaximum === 'number') bad.push(['at the excluded maximum', exclusiveMaximum]);
  if (typeof minLength === 'number' && minLength > 0) bad.push(['too short', 'x'.repeat(minLength - 1)]);
  if (typeof maxLength === 'number') bad.push(['too long', 'x'.repeat(maxLength + 1)]);
  if (typeof minItems === 'number' && minItems > 0) bad.push(['too few', []]);
  if (typeof maxItems === 'number') bad.push(['too many', Array.from({ length: maxItems + 1 }, (_, index) => `item${index}`)]);
  if (typeof minProperties === 'number' && minProperties > 0) bad.push(['empty', {}]);
  return bad;
}

function withValue(configuration: JsonObject, [name = '', ...rest]: readonly string[], value: JsonValue): JsonObject {
  if (rest.length === 0) return { ...configuration, [name]: value };
  const inner = configuration[name];
  return { ...configuration, [name]: withValue(isJsonObject(inner) ? inner : {}, rest, value) };
}

/** A schema is data. */
function asData({ schema }: PluginSchema): JsonObject {
  return JSON.parse(JSON.stringify(schema));
}

async function exampleFor({ name }: PluginSchema): Promise<JsonObject> {
  for (const example of await readExamples(path.join(import.meta.dirname, name))) {
    if (Object.hasOwn(Object(example.plugins), name)) return exampleOf(example, name);
  }
  return {};
}

for (const schema of PLUGIN_SCHEMAS) {
  test(`${schema.name} refuses what lies outside of any of its fields, and says where`, async () => {
    const example = await exampleFor(schema);
    const fields = fieldsOf(asData(schema));
    assert.ok(fields.length > 0, 'no field was found');
    for (const { steps, schema: field } of fields) {
      for (const [what, value] of badValues(field)) {
        const error = configurationError(schema, withValue(example, steps, value));
        assert.ok(error.includes(`"/plugins/${schema.name}/${steps.join('/')}`), `${steps.join('/')}: ${what}: ${error || 'accepted'}`);
      }
    }
  });

  test(`${schema.name} fills in the default of every field that has one`, async () => {
    const example = await exampleFor(schema);
    for (const { steps, schema: field } of fieldsOf(asData(schema))) {
      if (field.default === undefined || steps.length > 1 || Object.hasOwn(example, steps[0] ?? '')) continue;
      assert.deepEqual(readPluginConfiguration(schema.schema, example)[steps[0] ?? ''], field.default, steps.join('/'));
    }
  });
}
