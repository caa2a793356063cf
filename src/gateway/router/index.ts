export { hostOfHeader } from './host-of-header.ts';
export { joinPathPrefix } from './join-path-prefix.ts';
export { methodBit, methodBitOfBytes, methodMask } from './methods.ts';
export type { RoutableRequest, RoutableRoute, RoutePlace, TakePlace } from './routable-route.ts';
export { Router } from './router.ts';
