import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';
import { appendPointer, isJsonObject } from '../../schema/index.ts';

/** One plugin that multi-auth tries, as it was written. */
export interface AuthPluginEntry {
  readonly name: string;
  readonly configuration: JsonValue;
  /** Leads to its configuration. */
  readonly pointer: string;
}

/** The plugins of `auth_plugins` in order. An entry with several names stands for all of them, as they were written. */
export function authPluginEntries(configuration: JsonObject): readonly AuthPluginEntry[] {
  const { auth_plugins } = configuration;
  if (!Array.isArray(auth_plugins)) return [];
  return auth_plugins.flatMap((entry, index) => {
    const pointer = appendPointer('/auth_plugins', index);
    return Object.entries(isJsonObject(entry) ? entry : {}).map(([name, nested]) => ({
      name,
      configuration: nested,
      pointer: appendPointer(pointer, name),
    }));
  });
}
