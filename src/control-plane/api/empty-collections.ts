import type { JsonValue } from '../../lib/json.ts';
import type { ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';

/**
 * Collections of which a group holds nothing, because nothing can be written there: clients that read everything before they write
 * (ADC) need to be told so, and not that the path is unknown.
 */
const EMPTY: ReadonlyArray<readonly [collection: string, permission: `gateway:${string}`, body: JsonValue]> = [
  ['ssls', 'gateway:GetCertificate', { list: [], total: 0 }],
  ['global_rules', 'gateway:GetGlobalPluginRule', { list: [], total: 0 }],
  ['stream_routes', 'gateway:GetPublishedService', { list: [], total: 0 }],
  // API7 gives an object here, by the name of the plugin.
  ['plugin_metadata', 'gateway:GetPluginMetadata', { value: {} }],
];

/** GET of the collections above. */
export function emptyCollectionRoutes(context: ApiContext): readonly ApiRoute[] {
  return EMPTY.map(([collection, permission, body]) => ({
    method: 'GET',
    path: `/apisix/admin/${collection}`,
    permission,
    handle: async (request) => {
      await gatewayGroupOf(context.store, request);
      return { body };
    },
  }));
}
