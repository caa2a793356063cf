import { asOther, OTHER, type UsageEntry } from './usage-report.ts';

interface Sum {
  readonly entry: UsageEntry;
  requests: number;
  lastUsedAt: number;
}

/** Entries of usage added up: each credential, route and status once. A bounded number of them; what is beyond goes to `OTHER`. */
export class UsageBatch {
  readonly #sums = new Map<string, Sum>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** How many entries there are: at most ten more than the bound. */
  get size(): number {
    return this.#sums.size;
  }

  add(entry: UsageEntry): void {
    const key = keyOf(entry);
    let sum = this.#sums.get(key);
    if (sum === undefined) {
      if (this.#sums.size >= this.#maxEntries && entry.consumer !== OTHER) {
        this.add(asOther(entry));
        return;
      }
      sum = { entry, requests: 0, lastUsedAt: 0 };
      this.#sums.set(key, sum);
    }
    sum.requests += entry.requests;
    sum.lastUsedAt = Math.max(sum.lastUsedAt, entry.lastUsedAt);
  }

  entries(): readonly UsageEntry[] {
    return [...this.#sums.values()].map(({ entry, requests, lastUsedAt }) => ({ ...entry, requests, lastUsedAt }));
  }

  clear(): void {
    this.#sums.clear();
  }
}

function keyOf({ consumer, credential, route, status }: UsageEntry): string {
  return `${consumer}\0${credential}\0${route}\0${status}`;
}
