import type { PluginSite, TSchema } from '../schema/index.ts';
import type { PluginSchema } from './plugin-schema.ts';

/** The schema that holds for a plugin's configuration at `site`: on consumers and credentials an auth plugin is a credential. */
export function configurationSchema(schema: PluginSchema, site: PluginSite): TSchema {
  return isCredential(schema, site) && schema.consumerSchema !== undefined ? schema.consumerSchema : schema.schema;
}

/** Whether a plugin's configuration at `site` tells who a consumer is, and not how requests are treated. */
export function isCredential(schema: PluginSchema, site: PluginSite): boolean {
  switch (site) {
    case 'consumer':
    case 'credential':
      return schema.type === 'auth' && schema.consumerSchema !== undefined;
    case 'service':
    case 'route':
    case 'stream_route':
    case 'global_rule':
      return false;
  }
}
