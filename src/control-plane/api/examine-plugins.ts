import type { JsonObject, JsonValue } from '../../lib/json.ts';
import {
  checkPluginConfiguration,
  checkSecretReferences,
  checkVars,
  issuesBesideReferences,
  type PluginFacts,
  type PluginSchema,
  validatePlugins,
} from '../../plugin-kit/index.ts';
import { type Issue, isJsonObject, isStreamService, type ResourceKind } from '../../schema/index.ts';

/**
 * All that plugins have to say against a body: in `plugins`, by the schema that holds where it stands, or against the whole of it where it is
 * a plugin's metadata. `id` is the one in the path, where there is one.
 */
export function examinePlugins(
  kind: ResourceKind,
  body: JsonValue,
  id: string | undefined,
  schemas: readonly PluginSchema[],
  facts: PluginFacts,
): readonly Issue[] {
  if (!isJsonObject(body)) return [];
  if (kind.name === 'plugin_metadata') return examineMetadata(body, id ?? ownField(body, 'id'), schemas, facts);
  if (kind.pluginSite === undefined) return [];
  const isForStreams = kind.name === 'stream_route' || (kind.name === 'service' && isStreamService(body));
  const plugins = validatePlugins(ownField(body, 'plugins'), kind.pluginSite, schemas, { ...facts, isForStreams });
  return [...examineVars(kind, body), ...plugins];
}

/** A route's own rule is one of those that plugins have, too. */
function examineVars(kind: ResourceKind, body: JsonObject): readonly Issue[] {
  const vars = kind.name === 'route' ? ownField(body, 'vars') : undefined;
  return Array.isArray(vars) ? checkVars(vars, '/vars') : [];
}

function examineMetadata(
  body: JsonObject,
  plugin: JsonValue | undefined,
  schemas: readonly PluginSchema[],
  facts: PluginFacts,
): readonly Issue[] {
  if (typeof plugin !== 'string') return [{ pointer: '/id', message: 'property "id" is missing' }];
  const schema = schemas.find((each) => each.name === plugin);
  if (schema === undefined) return [{ pointer: '/id', message: `unknown plugin [${plugin.slice(0, 128)}]` }];
  if (schema.metadataSchema === undefined) return [{ pointer: '/id', message: `plugin ${plugin} has no metadata` }];
  const metadata = Object.fromEntries(Object.entries(body).filter(([name]) => name !== 'id'));
  const issues = checkPluginConfiguration(schema.metadataSchema, metadata);
  // Only what passed is known to be shallow enough to be walked through.
  if (issues.length > 0) return issues;
  const found = schema.checkMetadata?.(metadata, facts) ?? [];
  return [...checkSecretReferences(metadata), ...issuesBesideReferences(metadata, found)];
}

function ownField(body: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}
