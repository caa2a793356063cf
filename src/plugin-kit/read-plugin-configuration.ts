import { PortcullisError } from '../errors/index.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { compileValidator, formatIssues, type Issue, isJsonObject, type TSchema, type Validator } from '../schema/index.ts';
import { withoutMeta } from './plugin-meta.ts';
import { referenceTolerantSchema } from './reference-tolerant-schema.ts';
import { hasSecretReferences } from './secret-references.ts';

const validators = new WeakMap<TSchema, Validator<JsonObject>>();
const tolerantSchemas = new WeakMap<TSchema, TSchema>();

/**
 * What a plugin's schema says against a configuration or metadata, `_meta` left aside; pointers are relative to the configuration. Where
 * the schema wants a text, a secret reference may stand (see `referenceTolerantSchema`).
 */
export function checkPluginConfiguration(schema: TSchema, configuration: JsonObject): readonly Issue[] {
  const matched = validatorFor(schema, configuration)(withoutMeta(configuration));
  return matched.ok ? [] : matched.issues;
}

/**
 * The configuration as the plugin's code gets it: a copy with the schema's defaults and without `_meta`. Secret references in it are valid
 * texts, and stay.
 *
 * @throws PortcullisError `internal` with all faults in its detail, no value among them
 */
export function readPluginConfiguration(schema: TSchema, configuration: JsonValue): JsonObject {
  const matched = validatorFor(schema, configuration)(isJsonObject(configuration) ? withoutMeta(configuration) : configuration);
  if (matched.ok) return matched.value;
  throw new PortcullisError('internal', { detail: `a plugin configuration is invalid: ${formatIssues(matched.issues)}` });
}

/** Only a configuration that holds a reference is judged by the schema that accepts some: all others cost what they did. */
function validatorFor(schema: TSchema, configuration: JsonValue): Validator<JsonObject> {
  if (!hasSecretReferences(configuration)) return validatorOf(schema);
  const known = tolerantSchemas.get(schema) ?? referenceTolerantSchema(schema);
  tolerantSchemas.set(schema, known);
  return validatorOf(known);
}

/** One compilation a schema, however many configurations it judges. */
function validatorOf(schema: TSchema): Validator<JsonObject> {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const validator: Validator<JsonObject> = compileValidator(schema);
  validators.set(schema, validator);
  return validator;
}
