import { parsePathPattern } from '../../lib/path-pattern.ts';
import { HostIndex } from './host-index.ts';
import { PathIndex } from './path-index.ts';
import type { RoutableRequest, RoutableRoute, RoutePlace, TakePlace } from './routable-route.ts';

/**
 * Finds a request's route, as APISIX's `radixtree_host_uri` router decides, with path parameters:
 * the exact host first, then wildcard hosts (longest first), then routes without host; inside each an exact path first, then by what
 * stands before the first parameter or wildcard, the longest first; then the higher priority, the longer pattern, the smaller order.
 * A candidate that fails goes to the next, in this order, to the very end.
 *
 * One router serves one worker and is changed in place; a change costs what it changes.
 */
export class Router<Value> {
  readonly #places = new Map<string, readonly RoutePlace<Value>[]>();
  readonly #hosts = new HostIndex<Value>();
  readonly #anyHost = new PathIndex<Value>();

  get size(): number {
    return this.#places.size;
  }

  /** Adds the route, or replaces the one with this id. */
  put(route: RoutableRoute<Value>): void {
    this.remove(route.id);
    const places = placesOf(route);
    this.#places.set(route.id, places);
    for (const place of places) this.#indexOf(place).add(place);
  }

  /** False when there was none. */
  remove(routeId: string): boolean {
    const places = this.#places.get(routeId);
    if (places === undefined) return false;
    this.#places.delete(routeId);
    for (const place of places) {
      const index = this.#indexOf(place);
      index.remove(place);
      if (place.host !== '' && index.isEmpty) this.#hosts.delete(place.host);
    }
    return true;
  }

  /**
   * Shows the places that host, path and method leave, in order of decision, until `take` has seen enough. Which of them takes a request
   * depends on nothing but their conditions, so what was seen may be kept as long as no route changes. A method that routes cannot
   * name (bit 0) fits only routes that name none.
   */
  visit(request: RoutableRequest, take: TakePlace<Value>): void {
    if (!this.#hosts.search(request.host, (index) => index.visit(request, take))) this.#anyHost.visit(request, take);
  }

  /** The places up to the first that has no further conditions. */
  candidates(request: RoutableRequest): readonly RoutePlace<Value>[] {
    const found: RoutePlace<Value>[] = [];
    this.visit(request, (place) => {
      found.push(place);
      return !place.route.conditional;
    });
    return found;
  }

  #indexOf({ host }: RoutePlace<Value>): PathIndex<Value> {
    return host === '' ? this.#anyHost : this.#hosts.getOrMake(host);
  }
}

function placesOf<Value>(route: RoutableRoute<Value>): readonly RoutePlace<Value>[] {
  const patterns = [...new Set(route.paths)].map(parsePathPattern);
  const hosts = route.hosts.length === 0 ? [''] : [...new Set(route.hosts.map((host) => host.toLowerCase()))];
  return hosts.flatMap((host) => patterns.map((pattern) => ({ route, host, pattern })));
}
