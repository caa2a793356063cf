export { createAdminApplication } from './admin-application.ts';
export { type AdminServer, startAdminServer } from './admin-server.ts';
export type { ApiAnswer, ApiRequest, ApiRoute, RoutePermission } from './api-route.ts';
export { ExpectedContinues } from './expected-continues.ts';
export { ADMIN_SERVER_LIMITS } from './limits.ts';
export { parseJson, parseJsonElements } from './parse-json.ts';
export { PreconditionFailed } from './precondition-failed.ts';
export { printable } from './printable.ts';
