export { type GatewayStatus, reasonNotReady, type StatusSource, statusRoutes } from './status-routes.ts';
