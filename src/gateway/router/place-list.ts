import type { RoutePlace, TakePlace } from './routable-route.ts';

/** Places that come into question together, in order of decision (see `comparePlaces`). */
export class PlaceList<Value> {
  /** Of one place mostly, and as long as that: an array that grows from nothing reserves room for seventeen. */
  #places: RoutePlace<Value>[] = [];

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  get all(): readonly RoutePlace<Value>[] {
    return this.#places;
  }

  add(place: RoutePlace<Value>): void {
    if (this.#places.length === 0) {
      this.#places = [place];
      return;
    }
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#places[middle];
      if (other !== undefined && comparePlaces(place, other) < 0) high = middle;
      else low = middle + 1;
    }
    this.#places.splice(low, 0, place);
  }

  remove(place: RoutePlace<Value>): void {
    const index = this.#places.indexOf(place);
    if (index >= 0) this.#places.splice(index, 1);
  }

  /** Shows the places whose method fits; true once `take` has seen enough. */
  visit(method: number, take: TakePlace<Value>): boolean {
    for (const place of this.#places) if (fitsMethod(place, method) && take(place)) return true;
    return false;
  }
}

/** Higher priority first, then the longer pattern, as it is written (lua-resty-radixtree), then smaller order, then id. */
export function comparePlaces<Value>(one: RoutePlace<Value>, other: RoutePlace<Value>): number {
  if (one.route.priority !== other.route.priority) return other.route.priority - one.route.priority;
  const [length, otherLength] = [one.pattern.text.length, other.pattern.text.length];
  if (length !== otherLength) return otherLength - length;
  if (one.route.order !== other.route.order) return one.route.order - other.route.order;
  if (one.route.id !== other.route.id) return one.route.id < other.route.id ? -1 : 1;
  return one.pattern.text < other.pattern.text ? -1 : 1;
}

/** `method` is of `methodBit`. */
export function fitsMethod<Value>({ route }: RoutePlace<Value>, method: number): boolean {
  return route.methods === 0 || (route.methods & method) !== 0;
}
