import { PrefixTree } from '../../lib/prefix-tree.ts';
import { PlaceList } from './place-list.ts';
import { PrefixPlaces } from './prefix-places.ts';
import type { RoutableRequest, RoutePlace, TakePlace } from './routable-route.ts';

/** The places of one host (or of no host) by their paths: an exact path first, then by literal beginning, the longest first. */
export class PathIndex<Value> {
  readonly #exact = new Map<string, PlaceList<Value>>();
  readonly #prefixes = new PrefixTree<PrefixPlaces<Value>>();
  /** Reused by every look-up: none runs inside another one of the same index. */
  readonly #found: PrefixPlaces<Value>[] = [];

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes.size === 0;
  }

  add(place: RoutePlace<Value>): void {
    const { kind, literal } = place.pattern;
    const known = kind === 'exact' ? this.#exact.get(literal) : this.#prefixes.get(literal);
    if (known !== undefined) {
      known.add(place);
    } else if (kind === 'exact') {
      const list = new PlaceList<Value>();
      list.add(place);
      this.#exact.set(literal, list);
    } else {
      const places = new PrefixPlaces<Value>(literal.length);
      places.add(place);
      this.#prefixes.set(literal, places);
    }
  }

  remove(place: RoutePlace<Value>): void {
    const { kind, literal } = place.pattern;
    const places = kind === 'exact' ? this.#exact.get(literal) : this.#prefixes.get(literal);
    places?.remove(place);
    if (places?.isEmpty !== true) return;
    if (kind === 'exact') this.#exact.delete(literal);
    else this.#prefixes.delete(literal);
  }

  /** Shows the places that fit path and method in order of decision; true once `take` has seen enough. */
  visit({ path, method }: RoutableRequest, take: TakePlace<Value>): boolean {
    if (this.#exact.get(path)?.visit(method, take) === true) return true;
    for (let index = this.#prefixes.collect(path, this.#found) - 1; index >= 0; index--) {
      if (this.#found[index]?.visit(path, method, take) === true) return true;
    }
    return false;
  }
}
