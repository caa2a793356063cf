import type { JsonValue } from '../lib/json.ts';
import { appendPointer, isJsonObject, type PluginSite } from '../schema/index.ts';
import { configurationSchema } from './configuration-schema.ts';
import { readPluginMeta } from './plugin-meta.ts';
import type { PluginSchema, UpstreamReference } from './plugin-schema.ts';
import { readPluginConfiguration } from './read-plugin-configuration.ts';

/** The upstreams of the service that the `plugins` of a valid document at `site` name, with pointers from the document's root. */
export function describeUpstreamIds(
  plugins: JsonValue | undefined,
  site: PluginSite,
  schemas: readonly PluginSchema[],
): readonly UpstreamReference[] {
  if (!isJsonObject(plugins)) return [];
  return schemas.flatMap((schema): readonly UpstreamReference[] => {
    const written = Object.hasOwn(plugins, schema.name) ? plugins[schema.name] : undefined;
    if (schema.upstreamIds === undefined || !isJsonObject(written) || readPluginMeta(written).disabled) return [];
    const configuration = readPluginConfiguration(configurationSchema(schema, site), written);
    const base = appendPointer('/plugins', schema.name);
    return schema.upstreamIds(configuration).map(({ pointer, id }) => ({ pointer: `${base}${pointer}`, id }));
  });
}
