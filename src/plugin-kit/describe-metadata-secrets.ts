import type { JsonObject, JsonValue } from '../lib/json.ts';
import { appendPointer, isJsonObject, isSecretReference } from '../schema/index.ts';
import type { PluginSchema } from './plugin-schema.ts';

/** JSON pointers of the texts in a plugin's metadata that are encrypted at rest. References are none. */
export function describeMetadataSecrets(metadata: JsonObject, { metadataSecrets = [] }: PluginSchema): readonly string[] {
  return metadataSecrets.flatMap((path) => textsAt(metadata, path.split('/').slice(1), ''));
}

function textsAt(value: JsonValue, path: readonly string[], pointer: string): readonly string[] {
  const [name, ...rest] = path;
  if (name === undefined) return typeof value === 'string' && !isSecretReference(value) ? [pointer] : [];
  if (!isJsonObject(value)) return [];
  const names = name === '*' ? Object.keys(value) : [name];
  return names.flatMap((each) => {
    const field = Object.hasOwn(value, each) ? value[each] : undefined;
    return field === undefined ? [] : textsAt(field, rest, appendPointer(pointer, each));
  });
}
