import type { JsonObject, JsonValue } from '../lib/json.ts';
import { isJsonObject } from './copy-document.ts';
import { describingFields, idField, pluginsField } from './fields.ts';
import type { Issue } from './issue.ts';
import { type Static, Type } from './schema-builder.ts';

/** A plugin that runs for every request of a gateway group. API7 keeps one plugin a rule, under the plugin's name. */
export const globalRuleSchema = Type.Object({
  id: Type.Optional(idField),
  ...describingFields,
  plugins: Type.Unsafe<Readonly<Record<string, JsonValue>>>({ ...pluginsField, minProperties: 1, maxProperties: 1 }),
});

/**
 * What the schema cannot say: the id is the plugin's name, so that no plugin stands in two rules, where neither would run. The id in the
 * body counts where the path names none.
 */
export function checkGlobalRule(rule: Static<typeof globalRuleSchema>, idInPath: string | undefined): readonly Issue[] {
  const id = idInPath ?? rule.id;
  if (id === undefined || Object.hasOwn(rule.plugins, id)) return [];
  return [{ pointer: '/id', message: 'a global rule must have the name of its plugin as its id' }];
}

/** The plugin of a rule that names no id. */
export function pluginOfGlobalRule({ plugins }: JsonObject): string | undefined {
  return isJsonObject(plugins) ? Object.keys(plugins)[0] : undefined;
}
