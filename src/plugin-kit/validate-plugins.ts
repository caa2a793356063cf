import { withRegexBudget } from '../expression/index.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { appendPointer, type Issue, isJsonObject, issuesBelow, type PluginSite } from '../schema/index.ts';
import { configurationSchema } from './configuration-schema.ts';
import { checkPluginMeta, readPluginMeta } from './plugin-meta.ts';
import type { CheckContext, PluginFacts, PluginSchema } from './plugin-schema.ts';
import { checkPluginConfiguration, readPluginConfiguration } from './read-plugin-configuration.ts';
import { checkSecretReferences, issuesBesideReferences } from './secret-references.ts';

/**
 * All that is wrong with the `plugins` of a document at `site`, with pointers from the document's root (`/plugins/key-auth/header`).
 * A value that is no object gives no issue here: the document's own schema says so.
 *
 * A plugin that `_meta.disable` switches off is stored even if the rest of its configuration is invalid, as APISIX does; its name
 * must be known all the same, and a secret must be a text, so that it can be encrypted.
 *
 * Regular expressions that would hold up a gateway while it compiles them are too many, in all plugins of the document together.
 *
 * Where a text is wanted, a well-formed secret reference may stand; what schema and checks say of that text is not asked of it.
 */
export function validatePlugins(
  plugins: JsonValue | undefined,
  site: PluginSite,
  schemas: readonly PluginSchema[],
  facts: PluginFacts = {},
): readonly Issue[] {
  if (!isJsonObject(plugins)) return [];
  const known = new Map(schemas.map((schema) => [schema.name, schema]));
  return withRegexBudget(() =>
    Object.entries(plugins).flatMap(([name, configuration]) =>
      issuesBelow(appendPointer('/plugins', name), checkPlugin(name, configuration, { ...facts, site, schemas }, known.get(name))),
    ),
  );
}

function checkPlugin(name: string, configuration: JsonValue, context: CheckContext, schema: PluginSchema | undefined): readonly Issue[] {
  const { site } = context;
  if (schema === undefined) return [{ pointer: '', message: `unknown plugin [${name.slice(0, 128)}]` }];
  if (site === 'credential' && (schema.type !== 'auth' || schema.consumerSchema === undefined)) {
    return [{ pointer: '', message: 'only supports auth type plugins in consumer credential' }];
  }
  if (site === 'stream_route' && schema.type === 'auth') {
    return [{ pointer: '', message: 'a connection without HTTP carries no credential: the plugin does not run on stream routes' }];
  }
  if (context.isForStreams === true && schema.runsOnStreams !== true) {
    return [{ pointer: '', message: 'the plugin does not run on stream routes' }];
  }
  if (!isJsonObject(configuration)) return [{ pointer: '', message: 'value must be an object' }];
  if (readPluginMeta(configuration).disabled) return checkSecretsAreText(configuration, schema);
  const issues = [...checkPluginConfiguration(configurationSchema(schema, site), configuration), ...checkPluginMeta(configuration)];
  if (issues.length > 0) return issues;
  // Only what passed is known to be shallow enough to be walked through.
  const found = schema.check?.(withDefaults(configuration, schema, site), context) ?? [];
  return [...checkSecretReferences(configuration), ...issuesBesideReferences(configuration, found)];
}

/** A plugin's own check sees what its code will see. */
function withDefaults(configuration: JsonObject, schema: PluginSchema, site: PluginSite): JsonObject {
  return readPluginConfiguration(configurationSchema(schema, site), configuration);
}

function checkSecretsAreText(configuration: JsonObject, schema: PluginSchema): readonly Issue[] {
  return schema.secretFields
    .filter((field) => Object.hasOwn(configuration, field) && typeof configuration[field] !== 'string')
    .map((field) => ({ pointer: appendPointer('', field), message: 'value must be a string' }));
}
