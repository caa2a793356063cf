import type { JsonObject, JsonValue } from '../lib/json.ts';
import { appendPointer, isJsonObject, isSecretReference, type PluginSite } from '../schema/index.ts';
import { isCredential } from './configuration-schema.ts';
import { readPluginMeta } from './plugin-meta.ts';
import type { PluginSchema } from './plugin-schema.ts';

/** A value by which a request is matched to a consumer, e.g. an API key. */
export interface UniquePluginValue {
  readonly plugin: string;
  readonly field: string;
  /** In clear: to be digested, never to be logged. */
  readonly value: string;
}

export interface PluginSecrets {
  /** JSON pointers from the document's root of the texts that are encrypted at rest, e.g. `/plugins/key-auth/key`. References are none. */
  readonly secretPointers: readonly string[];
  /**
   * Values of which a gateway group may hold each once. Switched-off configurations have none: nobody gets in by them. Of a reference
   * the value is not known here.
   */
  readonly uniqueValues: readonly UniquePluginValue[];
}

/** What is secret and what is unique in the `plugins` of a document at `site`. Unknown plugins have neither. */
export function describeSecrets(plugins: JsonValue | undefined, site: PluginSite, schemas: readonly PluginSchema[]): PluginSecrets {
  const secretPointers: string[] = [];
  const uniqueValues: UniquePluginValue[] = [];
  if (!isJsonObject(plugins)) return { secretPointers, uniqueValues };
  for (const schema of schemas) {
    const configuration = ownField(plugins, schema.name);
    if (!isJsonObject(configuration)) continue;
    const base = appendPointer('/plugins', schema.name);
    // At every site: a key that was written on a route by mistake is as secret as one in its place.
    for (const field of schema.secretFields) {
      const secret = ownField(configuration, field);
      if (typeof secret === 'string' && !isSecretReference(secret)) secretPointers.push(appendPointer(base, field));
    }
    const unique = isCredential(schema, site) && !readPluginMeta(configuration).disabled ? schema.uniqueField : undefined;
    const value = unique === undefined ? undefined : ownField(configuration, unique);
    if (unique !== undefined && typeof value === 'string' && !isSecretReference(value))
      uniqueValues.push({ plugin: schema.name, field: unique, value });
  }
  return { secretPointers, uniqueValues };
}

function ownField(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
