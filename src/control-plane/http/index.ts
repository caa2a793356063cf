export { createAdminApplication } from './admin-application.ts';
export { type AdminServer, startAdminServer } from './admin-server.ts';
export type { Action, ApiAnswer, ApiRequest, ApiRoute, RoutePermission } from './api-route.ts';
export { forbidden } from './authorize.ts';
export { ExpectedContinues } from './expected-continues.ts';
export { groupIdOf } from './group-id-of.ts';
export { ADMIN_SERVER_LIMITS } from './limits.ts';
export { PreconditionFailed } from './precondition-failed.ts';
export { printable } from './printable.ts';
