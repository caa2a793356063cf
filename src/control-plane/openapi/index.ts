export { describeRoutes, joinDescribed } from './describe-routes.ts';
export { withOpenApi } from './openapi-routes.ts';
export {
  type ApiDescription,
  type BodyExample,
  type DescribedApi,
  type DescribedRoute,
  type OperationDescription,
  type OperationKey,
  type PathParameter,
  type QueryParameter,
  schemaRef,
} from './operation-description.ts';
export { pluginSchemas } from './plugin-schemas.ts';
export { pascalCase, resourceSchemas, schemaName, shownRef, valueAnswer } from './resource-schemas.ts';
