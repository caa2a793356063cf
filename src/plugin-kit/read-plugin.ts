import type { JsonObject, JsonValue } from '../lib/json.ts';
import { formatIssues } from '../schema/index.ts';
import { type PluginMeta, readPluginMeta } from './plugin-meta.ts';
import type { PluginSchema } from './plugin-schema.ts';
import { readPluginConfiguration } from './read-plugin-configuration.ts';
import { issuesBesideReferences } from './secret-references.ts';

/** A plugin inside another's configuration, read. */
export interface ReadNestedPlugin {
  readonly name: string;
  readonly read: ReadPlugin;
}

/**
 * A plugin's configuration as it stands on a route or service, read: plain data, so that one thread can read for others. An invalid
 * one is told by whoever would run it, for one that is never run refuses nothing.
 */
export type ReadPlugin =
  | {
      readonly kind: 'ready';
      readonly meta: PluginMeta;
      /** Valid, with defaults and without `_meta`; secret references as they were written. */
      readonly configuration: JsonObject;
      /** What the plugin's `nestedPlugins` names, in that order; absent where there is none. */
      readonly nested?: readonly ReadNestedPlugin[];
    }
  | { readonly kind: 'disabled'; readonly meta: PluginMeta }
  /** `problem` holds no value of the configuration. */
  | { readonly kind: 'invalid'; readonly problem: string };

/** What of a plugin's schema reading needs. */
export type ReadableSchema = Pick<PluginSchema, 'name' | 'schema' | 'nestedPlugins' | 'check'>;

/** Deeper than any plugin nests another. */
const MAX_NESTING = 2;

/** Reads a plugin's configuration against its schema; `schemas` are those of the plugins that it may nest. Throws nothing. */
export function readPlugin(
  schema: ReadableSchema,
  configuration: JsonValue,
  schemas: readonly ReadableSchema[] = [],
  depth = 0,
): ReadPlugin {
  const meta = readPluginMeta(configuration);
  if (meta.disabled) return { kind: 'disabled', meta };
  try {
    const read = readPluginConfiguration(schema.schema, configuration);
    const issues = issuesBesideReferences(read, schema.check?.(read, { site: 'route', schemas: [], isStored: true }) ?? []);
    if (issues.length > 0 && schema.nestedPlugins === undefined) return { kind: 'invalid', problem: formatIssues(issues) };
    const nested = schema
      .nestedPlugins?.(read)
      .map(({ name, configuration: inner }) => ({ name, read: readNested(name, inner, schemas, depth) }));
    return { kind: 'ready', meta, configuration: read, ...(nested === undefined ? {} : { nested }) };
  } catch (error) {
    return { kind: 'invalid', problem: error instanceof Error ? error.message : String(error) };
  }
}

function readNested(name: string, configuration: JsonObject, schemas: readonly ReadableSchema[], depth: number): ReadPlugin {
  const schema = schemas.find((each) => each.name === name);
  if (schema === undefined) return { kind: 'invalid', problem: 'unknown to this version' };
  if (depth === MAX_NESTING) return { kind: 'invalid', problem: 'plugins are nested too deeply' };
  return readPlugin(schema, configuration, schemas, depth + 1);
}
