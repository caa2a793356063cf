import { CONSUMER_HEADERS, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { isJsonObject } from '../../schema/index.ts';
import { authPluginEntries } from './auth-plugin-entries.ts';
import { checkAuthPlugins } from './check-auth-plugins.ts';

/** The configuration on a route or service. */
export interface MultiAuthConfiguration {
  readonly auth_plugins: readonly JsonObject[];
}

const entry = Type.Unsafe<JsonObject>({
  type: 'object',
  minProperties: 1,
  description: 'The name of an authentication plugin, and its configuration as it would stand on a route',
});

/** What can be configured of multi-auth: APISIX's schema, except that an entry must name a plugin. */
export const multiAuthSchema: PluginSchema = {
  name: 'multi-auth',
  version: '0.1',
  priority: 2600,
  type: 'auth',
  schema: Type.Object({
    auth_plugins: Type.Array(entry, { minItems: 2, description: 'Authentication plugins in the order in which they are tried' }),
  }),
  secretFields: [],
  identityHeaders: CONSUMER_HEADERS,
  check: checkAuthPlugins,
  // One that is no object was refused on write, and tries nobody.
  nestedPlugins: (configuration) =>
    authPluginEntries(configuration).flatMap(({ name, configuration: nested }) =>
      isJsonObject(nested) ? [{ name, configuration: nested }] : [],
    ),
};
