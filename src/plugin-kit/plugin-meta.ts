import type { JsonObject, JsonValue } from '../lib/json.ts';
import { compileValidator, type Issue, isJsonObject, Type } from '../schema/index.ts';
import { checkVars } from './check-vars.ts';
import { resolveSecretReferences } from './secret-references.ts';

/** The field that every plugin configuration may have, whatever the plugin. */
const META_FIELD = '_meta';

/** `_meta` of a plugin configuration: APISIX, plugin common configuration. `pre_function` (Lua source) has no place here. */
export const pluginMetaSchema = Type.Object(
  {
    disable: Type.Optional(Type.Boolean()),
    priority: Type.Optional(Type.Integer()),
    filter: Type.Optional(Type.Unsafe<readonly JsonValue[]>({ type: 'array' })),
    error_response: Type.Optional(Type.Unsafe<string | JsonObject>({ anyOf: [{ type: 'string' }, { type: 'object' }] })),
  },
  { additionalProperties: false },
);

/** What `_meta` says, ready for use. */
export interface PluginMeta {
  /** True: the configuration counts as if it were not there, and hides one of the same plugin on the service. */
  readonly disabled: boolean;
  /** Replaces the plugin's own priority. */
  readonly priority: number | undefined;
  /** The condition under which the plugin runs (`compileExpression` reads it); undefined for always. */
  readonly filter: readonly JsonValue[] | undefined;
  /** The body, as text or as the object whose JSON it is, that replaces the plugin's whenever it ends a request with a status of 400 or above. */
  readonly errorResponse: string | JsonObject | undefined;
}

/** Stands for what is not known yet in a condition: an address, a pattern and a text at once. */
const ANY_VALUE = '0.0.0.0';

const matchMeta = compileValidator(pluginMetaSchema);

/** What is wrong with the `_meta` of a plugin configuration; pointers are relative to the configuration. */
export function checkPluginMeta(configuration: JsonObject): readonly Issue[] {
  const meta = ownField(configuration, META_FIELD);
  if (meta === undefined) return [];
  const matched = matchMeta(meta);
  if (!matched.ok) return matched.issues.map((issue) => ({ pointer: `/${META_FIELD}${issue.pointer}`, message: issue.message }));
  const { filter } = matched.value;
  if (filter === undefined) return [];
  return checkVars([...resolveSecretReferences(filter, () => ANY_VALUE)], `/${META_FIELD}/filter`);
}

/** Reads the `_meta` of a plugin configuration; what is not well formed counts as absent. */
export function readPluginMeta(configuration: JsonValue): PluginMeta {
  const meta = isJsonObject(configuration) ? ownField(configuration, META_FIELD) : undefined;
  if (!isJsonObject(meta)) return { disabled: false, priority: undefined, filter: undefined, errorResponse: undefined };
  const priority = ownField(meta, 'priority');
  const errorResponse = ownField(meta, 'error_response');
  const filter = ownField(meta, 'filter');
  return {
    disabled: ownField(meta, 'disable') === true,
    priority: typeof priority === 'number' ? priority : undefined,
    filter: Array.isArray(filter) && filter.length > 0 ? filter : undefined,
    errorResponse: typeof errorResponse === 'string' || isJsonObject(errorResponse) ? errorResponse : undefined,
  };
}

/** A configuration without its `_meta`: what the plugin itself defines. */
export function withoutMeta(configuration: JsonObject): JsonObject {
  if (!Object.hasOwn(configuration, META_FIELD)) return configuration;
  return Object.fromEntries(Object.entries(configuration).filter(([name]) => name !== META_FIELD));
}

function ownField(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
