import type { JsonObject, JsonValue } from '../lib/json.ts';
import { type PluginMeta, readPluginMeta } from './plugin-meta.ts';
import type { PluginSchema } from './plugin-schema.ts';
import { readPluginConfiguration } from './read-plugin-configuration.ts';

/**
 * A plugin's configuration as it stands on a route or service, read: plain data, so that one thread can read for others. An invalid
 * one is told by whoever would run it, for one that is never run refuses nothing.
 */
export type ReadPlugin =
  /** `configuration` is valid, with defaults and without `_meta`. */
  | { readonly kind: 'ready'; readonly meta: PluginMeta; readonly configuration: JsonObject }
  | { readonly kind: 'disabled'; readonly meta: PluginMeta }
  /** `problem` holds no value of the configuration. */
  | { readonly kind: 'invalid'; readonly problem: string };

/** Reads a plugin's configuration against its schema. Throws nothing. */
export function readPlugin({ schema }: Pick<PluginSchema, 'schema'>, configuration: JsonValue): ReadPlugin {
  const meta = readPluginMeta(configuration);
  if (meta.disabled) return { kind: 'disabled', meta };
  try {
    return { kind: 'ready', meta, configuration: readPluginConfiguration(schema, configuration) };
  } catch (error) {
    return { kind: 'invalid', problem: error instanceof Error ? error.message : String(error) };
  }
}
