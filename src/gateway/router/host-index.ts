import { PathIndex } from './path-index.ts';

/**
 * Path indexes by host pattern: exact names, and names that begin with `*`, which stands for any beginning
 * (`*.example.com` is every name that ends in `.example.com`, at any depth).
 */
export class HostIndex<Value> {
  readonly #exact = new Map<string, PathIndex<Value>>();
  readonly #endings = new Map<string, PathIndex<Value>>();
  /** Lengths of the endings in use and how many have each, longest first: a host is looked up once per length. */
  #endingLengths: readonly { readonly length: number; readonly count: number }[] = [];

  get(pattern: string): PathIndex<Value> | undefined {
    const host = pattern.toLowerCase();
    return host.startsWith('*') ? this.#endings.get(host.slice(1)) : this.#exact.get(host);
  }

  getOrMake(pattern: string): PathIndex<Value> {
    const known = this.get(pattern);
    if (known !== undefined) return known;
    const host = pattern.toLowerCase();
    const made = new PathIndex<Value>();
    if (host.startsWith('*')) {
      this.#endings.set(host.slice(1), made);
      this.#countLength(host.length - 1, 1);
    } else this.#exact.set(host, made);
    return made;
  }

  delete(pattern: string): void {
    const host = pattern.toLowerCase();
    if (!host.startsWith('*')) this.#exact.delete(host);
    else if (this.#endings.delete(host.slice(1))) this.#countLength(host.length - 1, -1);
  }

  /** The first thing that `visit` finds: in the exact host, then in its endings, the longest first. */
  search<Found>(host: string, visit: (index: PathIndex<Value>) => Found | undefined): Found | undefined {
    const exact = this.#exact.get(host);
    const found = exact === undefined ? undefined : visit(exact);
    if (found !== undefined) return found;
    for (const { length } of this.#endingLengths) {
      if (length > host.length) continue;
      const index = this.#endings.get(host.slice(host.length - length));
      const byEnding = index === undefined ? undefined : visit(index);
      if (byEnding !== undefined) return byEnding;
    }
    return undefined;
  }

  #countLength(length: number, change: number): void {
    const count = (this.#endingLengths.find((entry) => entry.length === length)?.count ?? 0) + change;
    const others = this.#endingLengths.filter((entry) => entry.length !== length);
    this.#endingLengths = (count > 0 ? [...others, { length, count }] : others).toSorted((one, other) => other.length - one.length);
  }
}
