import { PortcullisError } from '../errors/index.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { compileValidator, formatIssues, type Issue, isJsonObject, type TSchema, type Validator } from '../schema/index.ts';
import { withoutMeta } from './plugin-meta.ts';

const validators = new WeakMap<TSchema, Validator<JsonObject>>();

/** What a plugin's schema says against a configuration, `_meta` left aside; pointers are relative to the configuration. */
export function checkPluginConfiguration(schema: TSchema, configuration: JsonObject): readonly Issue[] {
  const matched = validatorOf(schema)(withoutMeta(configuration));
  return matched.ok ? [] : matched.issues;
}

/**
 * The configuration as the plugin's code gets it: a copy with the schema's defaults and without `_meta`.
 *
 * @throws PortcullisError `internal` with all faults in its detail, no value among them
 */
export function readPluginConfiguration(schema: TSchema, configuration: JsonValue): JsonObject {
  const matched = validatorOf(schema)(isJsonObject(configuration) ? withoutMeta(configuration) : configuration);
  if (matched.ok) return matched.value;
  throw new PortcullisError('internal', { detail: `a plugin configuration is invalid: ${formatIssues(matched.issues)}` });
}

/** One compilation a schema, however many configurations it judges. */
function validatorOf(schema: TSchema): Validator<JsonObject> {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const validator: Validator<JsonObject> = compileValidator(schema);
  validators.set(schema, validator);
  return validator;
}
