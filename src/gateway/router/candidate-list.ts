import type { RoutableRoute } from './routable-route.ts';

/** Routes of one path in one host, in order of decision: higher priority first, then smaller order, then id. */
export class CandidateList<Value> {
  readonly #routes: RoutableRoute<Value>[] = [];

  get isEmpty(): boolean {
    return this.#routes.length === 0;
  }

  add(route: RoutableRoute<Value>): void {
    let low = 0;
    let high = this.#routes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#routes[middle];
      if (other !== undefined && goesBefore(route, other)) high = middle;
      else low = middle + 1;
    }
    this.#routes.splice(low, 0, route);
  }

  remove(route: RoutableRoute<Value>): void {
    const index = this.#routes.indexOf(route);
    if (index >= 0) this.#routes.splice(index, 1);
  }

  /** Adds the routes whose method fits to `found`; true once one is among them that takes every request. */
  collect(method: number, found: Value[]): boolean {
    for (const route of this.#routes) {
      if (route.methods !== 0 && (route.methods & method) === 0) continue;
      found.push(route.value);
      if (!route.conditional) return true;
    }
    return false;
  }
}

function goesBefore<Value>(route: RoutableRoute<Value>, other: RoutableRoute<Value>): boolean {
  if (route.priority !== other.priority) return route.priority > other.priority;
  if (route.order !== other.order) return route.order < other.order;
  return route.id < other.id;
}
