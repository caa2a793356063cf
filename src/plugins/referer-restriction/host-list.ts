/** Hosts among which others are looked up: exact ones, and endings behind a `*`. Upper and lower case are the same. */
export class HostList {
  readonly #exact = new Set<string>();
  readonly #endings: string[] = [];

  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const host = pattern.toLowerCase();
      if (host.startsWith('*')) this.#endings.push(host.slice(1));
      else this.#exact.add(host);
    }
  }

  has(lowerCaseHost: string): boolean {
    return this.#exact.has(lowerCaseHost) || this.#endings.some((ending) => lowerCaseHost.endsWith(ending));
  }
}
