import { RESOURCE_KINDS, resourceKind } from '../../schema/index.ts';
import { type DescribedApi, describeRoutes, joinDescribed, withOpenApi } from '../openapi/index.ts';
import { describedPeople } from '../people/index.ts';
import { describedSso } from '../sso/index.ts';
import type { ApiContext } from './api-context.ts';
import { auditRoutes } from './audit-routes.ts';
import { bulkRoutes } from './bulk-routes.ts';
import { COUNTED_KINDS, countRoutes } from './count-routes.ts';
import {
  AUDIT_DESCRIPTION,
  BULK_DESCRIPTION,
  CATALOGUE_DESCRIPTION,
  countDescription,
  GATEWAY_GROUP_DESCRIPTION,
  HEALTH_DESCRIPTION,
  historyDescription,
  INSTANCE_CERTIFICATE_DESCRIPTION,
  INSTANCE_DESCRIPTION,
  JOINING_DESCRIPTION,
  labelDescription,
  PRODUCT_DESCRIPTION,
  resourceDescription,
  SNAPSHOT_EXPORT_DESCRIPTION,
  usageDescription,
  validationDescription,
} from './descriptions/index.ts';
import { gatewayGroupRoutes } from './gateway-groups.ts';
import { healthRoutes } from './health-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { instanceAccessRoutes } from './instance-access-routes.ts';
import { instanceCertificateRoutes } from './instance-certificate-routes.ts';
import { instanceRoutes } from './instance-routes.ts';
import { joinTokenRoutes } from './join-token-routes.ts';
import { LABELLED_KINDS, labelRoutes } from './label-routes.ts';
import { pluginCatalogueRoutes } from './plugin-catalogue.ts';
import { API_LEVEL, productRoutes } from './product-routes.ts';
import { resourceRoutes } from './resource-routes.ts';
import { snapshotExportRoutes } from './snapshot-export-routes.ts';
import { unusedCredentialRoutes } from './unused-credential-routes.ts';
import { USED_KINDS, usagePath, usageRoutes } from './usage-routes.ts';
import { validateConfigsRoutes } from './validate-configs.ts';

const USED_PATHS = USED_KINDS.map((name) => [name, usagePath(resourceKind(name))] as const);

export type { ApiContext, ChangeAnnouncer } from './api-context.ts';

/**
 * Every operation of the Admin API with what the OpenAPI document says of it. Nothing of the context but its plugins is looked at before a
 * request comes.
 *
 * @throws Error for an operation that is not described
 */
export function describedApi(context: ApiContext): DescribedApi {
  const parts = [
    describeRoutes(productRoutes(), PRODUCT_DESCRIPTION),
    describeRoutes(gatewayGroupRoutes(context), GATEWAY_GROUP_DESCRIPTION),
    describeRoutes(countRoutes(context), countDescription(COUNTED_KINDS)),
    describeRoutes(healthRoutes(context), HEALTH_DESCRIPTION),
    describeRoutes(instanceRoutes(context), INSTANCE_DESCRIPTION),
    describeRoutes(snapshotExportRoutes(context), SNAPSHOT_EXPORT_DESCRIPTION),
    describeRoutes(instanceCertificateRoutes(context), INSTANCE_CERTIFICATE_DESCRIPTION),
    describeRoutes([...joinTokenRoutes(context), ...instanceAccessRoutes(context)], JOINING_DESCRIPTION),
    describeRoutes(historyRoutes(context), historyDescription()),
    describeRoutes(auditRoutes(context), AUDIT_DESCRIPTION),
    describeRoutes(resourceRoutes(context), resourceDescription(context.plugins)),
    describeRoutes(bulkRoutes(context), BULK_DESCRIPTION),
    describeRoutes(validateConfigsRoutes(context), validationDescription(RESOURCE_KINDS.map(({ collection }) => collection))),
    describeRoutes(pluginCatalogueRoutes(context), CATALOGUE_DESCRIPTION),
    describeRoutes(labelRoutes(context), labelDescription(LABELLED_KINDS)),
    describeRoutes([...usageRoutes(context), ...unusedCredentialRoutes(context)], usageDescription(USED_PATHS)),
    describedPeople(context),
    describedSso(context),
  ];
  return withOpenApi(joinDescribed(parts), API_LEVEL);
}
