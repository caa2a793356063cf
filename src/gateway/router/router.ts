import type { RoutableRequest, RoutableRoute } from './routable-route.ts';

/** Stub: signatures only. */
export class Router<Value> {
  get size(): number {
    return 0;
  }
  /** Adds the route, or replaces the one with this id. */
  put(_route: RoutableRoute<Value>): void {}
  remove(_routeId: string): boolean {
    return false;
  }
  /** The first route in order of decision whose method fits and that `accept` takes. */
  match(_request: RoutableRequest, _accept?: (candidate: RoutableRoute<Value>) => boolean): RoutableRoute<Value> | undefined {
    return undefined;
  }
}
