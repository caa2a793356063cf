import type { ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { labelFilterOf } from './label-filter.ts';
import { readListQuery } from './list-query.ts';

/**
 * Collections of which a group holds nothing, because nothing can be written there: clients that read everything before they write
 * (ADC) need to be told so, and not that the path is unknown.
 */
const EMPTY: ReadonlyArray<readonly [collection: string, permission: `gateway:${string}`]> = [
  ['ssls', 'gateway:GetCertificate'],
  ['stream_routes', 'gateway:GetPublishedService'],
];

/** GET of the collections above. */
export function emptyCollectionRoutes(context: ApiContext): readonly ApiRoute[] {
  return EMPTY.map(([collection, permission]) => ({
    method: 'GET',
    path: `/apisix/admin/${collection}`,
    permission,
    handle: async (request) => {
      await gatewayGroupOf(context.store, request);
      readListQuery(request.query, { isSortedByName: false });
      labelFilterOf(request.query);
      return { body: { list: [], total: 0 } };
    },
  }));
}
