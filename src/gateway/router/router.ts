import { HostIndex } from './host-index.ts';
import { PathIndex } from './path-index.ts';
import type { RoutableRequest, RoutableRoute } from './routable-route.ts';

/**
 * Finds a request's route, as APISIX's `radixtree_host_uri` router decides:
 * the exact host first, then wildcard hosts (longest first), then routes without host; inside each an exact path before any
 * prefix and a longer prefix before a shorter one; among equal paths the higher priority, then the smaller order. A candidate
 * that fails goes to the next, in this order, to the very end.
 *
 * One router serves one worker and is changed in place; a change costs what it changes.
 */
export class Router<Value> {
  readonly #routes = new Map<string, RoutableRoute<Value>>();
  readonly #hosts = new HostIndex<Value>();
  readonly #anyHost = new PathIndex<Value>();

  get size(): number {
    return this.#routes.size;
  }

  get(routeId: string): RoutableRoute<Value> | undefined {
    return this.#routes.get(routeId);
  }

  /** Adds the route, or replaces the one with this id. */
  put(route: RoutableRoute<Value>): void {
    this.remove(route.id);
    this.#routes.set(route.id, route);
    const paths = new Set(route.paths);
    if (route.hosts.length === 0) for (const path of paths) this.#anyHost.add(path, route);
    for (const host of hostsOf(route)) {
      const index = this.#hosts.getOrMake(host);
      for (const path of paths) index.add(path, route);
    }
  }

  /** False when there was none. */
  remove(routeId: string): boolean {
    const route = this.#routes.get(routeId);
    if (route === undefined) return false;
    this.#routes.delete(routeId);
    for (const path of route.paths) this.#anyHost.remove(path, route);
    for (const host of hostsOf(route)) {
      const index = this.#hosts.get(host);
      for (const path of route.paths) index?.remove(path, route);
      if (index?.isEmpty === true) this.#hosts.delete(host);
    }
    return true;
  }

  /**
   * The routes that host, path and method leave, in order of decision, up to the first that has no further conditions. Which of
   * them takes a request depends on nothing but their conditions, so the list may be kept as long as no route changes. A method that
   * routes cannot name (bit 0) fits only routes that name none.
   */
  candidates(request: RoutableRequest): readonly Value[] {
    const found: Value[] = [];
    const decided = this.#hosts.search(request.host, (index) => index.collect(request, found) || undefined);
    if (decided !== true) this.#anyHost.collect(request, found);
    return found;
  }
}

function hostsOf<Value>(route: RoutableRoute<Value>): ReadonlySet<string> {
  return new Set(route.hosts.map((host) => host.toLowerCase()));
}
