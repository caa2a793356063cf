export { AUDIT_DESCRIPTION } from './audit-description.ts';
export { BULK_DESCRIPTION } from './bulk-description.ts';
export { CATALOGUE_DESCRIPTION, validationDescription } from './catalogue-description.ts';
export { GATEWAY_GROUP_DESCRIPTION } from './gateway-group-description.ts';
export { historyDescription } from './history-description.ts';
export { labelDescription } from './label-description.ts';
export { PRODUCT_DESCRIPTION } from './product-description.ts';
export { resourceDescription } from './resource-description.ts';
