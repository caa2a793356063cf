import { PathIndex } from './path-index.ts';

/**
 * Path indexes by host pattern in lower case: exact names, and names that begin with `*`, which stands for any beginning
 * (`*.example.com` is every name that ends in `.example.com`, at any depth).
 */
export class HostIndex<Value> {
  readonly #exact = new Map<string, PathIndex<Value>>();
  readonly #endings = new Map<string, PathIndex<Value>>();
  /** Lengths of the endings in use and how many have each, longest first: a host is looked up once per length. */
  #endingLengths: readonly { readonly length: number; readonly count: number }[] = [];

  get(host: string): PathIndex<Value> | undefined {
    return host.startsWith('*') ? this.#endings.get(host.slice(1)) : this.#exact.get(host);
  }

  getOrMake(host: string): PathIndex<Value> {
    const known = this.get(host);
    if (known !== undefined) return known;
    const made = new PathIndex<Value>();
    if (host.startsWith('*')) {
      this.#endings.set(host.slice(1), made);
      this.#countLength(host.length - 1, 1);
    } else this.#exact.set(host, made);
    return made;
  }

  delete(host: string): void {
    if (!host.startsWith('*')) this.#exact.delete(host);
    else if (this.#endings.delete(host.slice(1))) this.#countLength(host.length - 1, -1);
  }

  /** Shows what there is for a host: the exact name's, then the endings', the longest first; true once `visit` has seen enough. */
  search(host: string, visit: (index: PathIndex<Value>) => boolean): boolean {
    const exact = this.#exact.get(host);
    if (exact !== undefined && visit(exact)) return true;
    for (const { length } of this.#endingLengths) {
      if (length > host.length) continue;
      const index = this.#endings.get(host.slice(host.length - length));
      if (index !== undefined && visit(index)) return true;
    }
    return false;
  }

  #countLength(length: number, change: number): void {
    const count = (this.#endingLengths.find((entry) => entry.length === length)?.count ?? 0) + change;
    const others = this.#endingLengths.filter((entry) => entry.length !== length);
    this.#endingLengths = (count > 0 ? [...others, { length, count }] : others).toSorted((one, other) => other.length - one.length);
  }
}
