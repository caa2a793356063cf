import { canonicalJson } from '../lib/canonical-json.ts';
import type { JsonValue } from '../lib/json.ts';
import { appendPointer, type Issue, isJsonObject, type PluginSite } from '../schema/index.ts';
import { configurationSchema } from './configuration-schema.ts';
import { readPluginMeta } from './plugin-meta.ts';
import type { PluginSchema } from './plugin-schema.ts';
import { readPluginConfiguration } from './read-plugin-configuration.ts';

/** A name that configurations of a plugin share, and what all that use it in a gateway group must agree about. */
export interface SharedConfiguration {
  readonly plugin: string;
  readonly name: string;
  /** The configuration with its defaults as one text, equal for equal ones. It may hold secrets: to be digested, never to be logged. */
  readonly text: string;
  /** What is wrong where another resource uses the name with another configuration; in APISIX's words, as its place is. */
  readonly mismatch: Issue;
}

/** What the `plugins` of a valid document at `site` share with others (`sharedField`). Switched-off configurations share nothing. */
export function describeShared(
  plugins: JsonValue | undefined,
  site: PluginSite,
  schemas: readonly PluginSchema[],
): readonly SharedConfiguration[] {
  if (!isJsonObject(plugins)) return [];
  return schemas.flatMap((schema): readonly SharedConfiguration[] => {
    const { name: plugin, sharedField: field } = schema;
    const written = Object.hasOwn(plugins, plugin) ? plugins[plugin] : undefined;
    if (field === undefined || !isJsonObject(written) || !Object.hasOwn(written, field) || readPluginMeta(written).disabled) return [];
    const configuration = readPluginConfiguration(configurationSchema(schema, site), written);
    const name = configuration[field];
    if (typeof name !== 'string') return [];
    const pointer = appendPointer(appendPointer('/plugins', plugin), field);
    return [{ plugin, name, text: canonicalJson(configuration), mismatch: { pointer, message: `${field} conf mismatched` } }];
  });
}
