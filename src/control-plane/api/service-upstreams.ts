import { PortcullisError } from '../../errors/index.ts';
import { isJsonObject, resourceKind } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { listAnswer } from './paging.ts';
import { resourceKeyOf } from './resource-path.ts';

/**
 * The upstreams of a service: only the one written inside it, which has the service's id, as in API7. Clients that ask for further
 * ones (ADC) skip it and find none.
 */
export function serviceUpstreamRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/apisix/admin/services/:id/upstreams',
      permission: 'gateway:GetPublishedService',
      handle: async (request) => {
        const group = await gatewayGroupOf(context.store, request);
        const key = resourceKeyOf(resourceKind('service'), group.id, request);
        const service = await context.store.getResource(key, { secrets: 'omit' });
        if (service === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'service not found' });
        const upstream = service.document.upstream;
        return listAnswer(isJsonObject(upstream) ? [upstream] : [], request.query, {
          present: (own) => ({ ...own, id: key.id }),
          texts: (own) => [key.id, own.name, own.desc].filter((text) => typeof text === 'string'),
          createdAt: () => service.createdAt,
          updatedAt: () => service.updatedAt,
        });
      },
    },
  ];
}
