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
  #requests = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** How many entries there are: at most ten more than the bound. */
  get size(): number {
    return this.#sums.size;
  }

  /** Of all entries together. */
  get requests(): number {
    return this.#requests;
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
    this.#requests += entry.requests;
    sum.lastUsedAt = Math.max(sum.lastUsedAt, entry.lastUsedAt);
  }

  /** Takes out entries of so many requests, those that came first; of the last one only a part, where it has more. All of them without a number. */
  takePortion(mostRequests = Number.POSITIVE_INFINITY): readonly UsageEntry[] {
    const taken: UsageEntry[] = [];
    let room = mostRequests;
    for (const [key, sum] of this.#sums) {
      if (room === 0) break;
      const requests = Math.min(sum.requests, room);
      taken.push({ ...sum.entry, requests, lastUsedAt: sum.lastUsedAt });
      room -= requests;
      sum.requests -= requests;
      this.#requests -= requests;
      if (sum.requests === 0) this.#sums.delete(key);
    }
    return taken;
  }
}

function keyOf({ consumer, credential, route, status }: UsageEntry): string {
  return `${consumer}\0${credential}\0${route}\0${status}`;
}
