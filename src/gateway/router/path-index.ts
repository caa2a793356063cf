import { byteStringOf } from '../../lib/byte-string.ts';
import { PrefixTree } from '../../lib/prefix-tree.ts';
import { CandidateList } from './candidate-list.ts';
import type { RoutableRequest, RoutableRoute } from './routable-route.ts';

/** The routes of one host (or of no host) by their paths: an exact path before any prefix, a longer prefix before a shorter one. */
export class PathIndex<Value> {
  readonly #exact = new Map<string, CandidateList<Value>>();
  readonly #prefixes = new PrefixTree<CandidateList<Value>>();
  /** Reused by every look-up: none runs inside another one of the same index. */
  readonly #found: CandidateList<Value>[] = [];

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes.size === 0;
  }

  /** `path`: configured text; a trailing `*` makes it a prefix. */
  add(path: string, route: RoutableRoute<Value>): void {
    const { text, isPrefix } = readPattern(path);
    const known = isPrefix ? this.#prefixes.get(text) : this.#exact.get(text);
    const list = known ?? new CandidateList<Value>();
    list.add(route);
    if (known !== undefined) return;
    if (isPrefix) this.#prefixes.set(text, list);
    else this.#exact.set(text, list);
  }

  remove(path: string, route: RoutableRoute<Value>): void {
    const { text, isPrefix } = readPattern(path);
    const list = isPrefix ? this.#prefixes.get(text) : this.#exact.get(text);
    list?.remove(route);
    if (list?.isEmpty !== true) return;
    if (isPrefix) this.#prefixes.delete(text);
    else this.#exact.delete(text);
  }

  /** As `Router.candidates`; true once there is one that takes every request. */
  collect(request: RoutableRequest, candidates: Value[]): boolean {
    if (this.#exact.get(request.path)?.collect(request.method, candidates) === true) return true;
    for (let index = this.#prefixes.collect(request.path, this.#found) - 1; index >= 0; index--) {
      if (this.#found[index]?.collect(request.method, candidates) === true) return true;
    }
    return false;
  }
}

function readPattern(path: string): { readonly text: string; readonly isPrefix: boolean } {
  const isPrefix = path.endsWith('*');
  return { text: byteStringOf(isPrefix ? path.slice(0, -1) : path), isPrefix };
}
