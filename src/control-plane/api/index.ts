import type { ApiRoute } from '../http/index.ts';
import { peopleRoutes } from '../people/index.ts';
import { ssoRoutes } from '../sso/index.ts';
import type { ApiContext } from './api-context.ts';
import { auditRoutes } from './audit-routes.ts';
import { bulkRoutes } from './bulk-routes.ts';
import { gatewayGroupRoutes } from './gateway-groups.ts';
import { historyRoutes } from './history-routes.ts';
import { labelRoutes } from './label-routes.ts';
import { pluginCatalogueRoutes } from './plugin-catalogue.ts';
import { productRoutes } from './product-routes.ts';
import { resourceRoutes } from './resource-routes.ts';
import { validateConfigsRoutes } from './validate-configs.ts';

export type { ApiContext, ChangeAnnouncer } from './api-context.ts';

/** Every operation of the Admin API. */
export function apiRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    ...productRoutes(),
    ...gatewayGroupRoutes(context),
    ...historyRoutes(context),
    ...auditRoutes(context),
    ...resourceRoutes(context),
    ...bulkRoutes(context),
    ...validateConfigsRoutes(context),
    ...pluginCatalogueRoutes(context),
    ...labelRoutes(context),
    ...peopleRoutes(context),
    ...ssoRoutes(context),
  ];
}
