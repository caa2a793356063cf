import { comparePlaces, fitsMethod, PlaceList } from './place-list.ts';
import type { RoutePlace, TakePlace } from './routable-route.ts';
import { SegmentTree } from './segment-tree.ts';

/** All places whose patterns have the same literal beginning: prefixes, and patterns with parameters. */
export class PrefixPlaces<Value> {
  /** Of the common beginning. */
  readonly #length: number;
  readonly #prefixes = new PlaceList<Value>();
  /** Undefined as long as no pattern has parameters. */
  #segments: SegmentTree<Value> | undefined;

  constructor(length: number) {
    this.#length = length;
  }

  get isEmpty(): boolean {
    return this.#prefixes.isEmpty && this.#segments === undefined;
  }

  add(place: RoutePlace<Value>): void {
    if (place.pattern.kind !== 'segments') {
      this.#prefixes.add(place);
      return;
    }
    this.#segments ??= new SegmentTree();
    this.#segments.add(place);
  }

  remove(place: RoutePlace<Value>): void {
    if (place.pattern.kind !== 'segments') this.#prefixes.remove(place);
    else this.#segments?.remove(place);
    if (this.#segments?.isEmpty === true) this.#segments = undefined;
  }

  /** Shows the places that fit a path that has this beginning, in order of decision; true once `take` has seen enough. */
  visit(path: string, method: number, take: TakePlace<Value>): boolean {
    if (this.#segments === undefined) return this.#prefixes.visit(method, take);
    const found: RoutePlace<Value>[] = [];
    this.#segments.collect(path, this.#length, found);
    if (found.length === 0) return this.#prefixes.visit(method, take);
    for (const place of this.#prefixes.all) found.push(place);
    if (found.length > 1) found.sort(comparePlaces);
    for (const place of found) if (fitsMethod(place, method) && take(place)) return true;
    return false;
  }
}
