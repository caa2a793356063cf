import type { JsonObject } from '../../lib/json.ts';
import { formatIssues, type PluginSite } from '../../schema/index.ts';
import type { PluginSchema } from '../plugin-schema.ts';
import { validatePlugins } from '../validate-plugins.ts';

/**
 * All that is said against a plugin's configuration on write, as one text; `''` where it is accepted. `others` are plugins that it may
 * name.
 */
export function configurationError(
  schema: PluginSchema,
  configuration: JsonObject,
  site: PluginSite = 'route',
  others: readonly PluginSchema[] = [],
): string {
  return formatIssues(validatePlugins({ [schema.name]: configuration }, site, [schema, ...others]));
}
