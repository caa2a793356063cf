import type { JsonObject, JsonValue } from '../lib/json.ts';
import { appendPointer, type Issue, isJsonObject, issuesBelow, type PluginSite } from '../schema/index.ts';
import { configurationSchema } from './configuration-schema.ts';
import { checkPluginMeta, readPluginMeta } from './plugin-meta.ts';
import type { PluginSchema } from './plugin-schema.ts';
import { checkPluginConfiguration } from './read-plugin-configuration.ts';
import { checkSecretReferences } from './secret-references.ts';

/**
 * All that is wrong with the `plugins` of a document at `site`, with pointers from the document's root (`/plugins/key-auth/header`).
 * A value that is no object gives no issue here: the document's own schema says so.
 *
 * A plugin that `_meta.disable` switches off is stored even if the rest of its configuration is invalid, as APISIX does; its name
 * must be known all the same, and a secret must be a text, so that it can be encrypted.
 */
export function validatePlugins(plugins: JsonValue | undefined, site: PluginSite, schemas: readonly PluginSchema[]): readonly Issue[] {
  if (!isJsonObject(plugins)) return [];
  const known = new Map(schemas.map((schema) => [schema.name, schema]));
  return Object.entries(plugins).flatMap(([name, configuration]) =>
    issuesBelow(appendPointer('/plugins', name), checkPlugin(name, configuration, site, known.get(name))),
  );
}

function checkPlugin(name: string, configuration: JsonValue, site: PluginSite, schema: PluginSchema | undefined): readonly Issue[] {
  if (schema === undefined) return [{ pointer: '', message: `unknown plugin [${name.slice(0, 128)}]` }];
  if (site === 'credential' && (schema.type !== 'auth' || schema.consumerSchema === undefined)) {
    return [{ pointer: '', message: 'only supports auth type plugins in consumer credential' }];
  }
  if (!isJsonObject(configuration)) return [{ pointer: '', message: 'value must be an object' }];
  if (readPluginMeta(configuration).disabled) return checkSecretsAreText(configuration, schema);
  const issues = [...checkPluginConfiguration(configurationSchema(schema, site), configuration), ...checkPluginMeta(configuration)];
  // Only what passed is known to be shallow enough to be walked through.
  return issues.length > 0 ? issues : checkSecretReferences(configuration);
}

function checkSecretsAreText(configuration: JsonObject, schema: PluginSchema): readonly Issue[] {
  return schema.secretFields
    .filter((field) => Object.hasOwn(configuration, field) && typeof configuration[field] !== 'string')
    .map((field) => ({ pointer: appendPointer('', field), message: 'value must be a string' }));
}
