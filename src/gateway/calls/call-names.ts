import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { NameResolver } from '../names/index.ts';

export interface CallNamesOptions {
  /** Belongs to this object from now on. */
  readonly resolver: NameResolver;
  readonly clock: Clock;
}

/** Names kept resolved at most; the one that was not used for longest goes first. */
const MAX_NAMES = 256;
/** A name that nothing was called under for so long is forgotten. */
const IDLE_MS = 600_000;
/** The longest wait for the first answer about a name. */
const FIRST_ANSWER_MS = 5000;

/**
 * The addresses of hosts that are called, kept fresh in the background as those of upstream nodes are: the same sources, times to
 * live and last good addresses.
 */
export class CallNames {
  readonly #resolver: NameResolver;
  readonly #clock: Clock;
  /** Monotonic time of the last use, the one used last at the end. */
  readonly #usedAtMs = new Map<string, number>();
  #cancelSweep: CancelTask | undefined;

  constructor(options: CallNamesOptions) {
    this.#resolver = options.resolver;
    this.#clock = options.clock;
  }

  /** Canonical addresses, IPv4 first; none where the name does not resolve. An address is its own. Never rejects. */
  async addressesOf(host: string): Promise<readonly string[]> {
    const literal = canonicalAddress(host);
    if (literal !== undefined) return [literal];
    this.#use(host);
    const known = this.#resolver.addressesOf(host);
    if (known !== undefined) return known;
    await this.#resolver.resolved([host], FIRST_ANSWER_MS);
    return this.#resolver.addressesOf(host) ?? [];
  }

  close(): void {
    this.#cancelSweep?.();
    this.#usedAtMs.clear();
    this.#resolver.close();
  }

  #use(name: string): void {
    if (!this.#usedAtMs.delete(name)) this.#resolver.retain(name);
    this.#usedAtMs.set(name, this.#clock.monotonicMs());
    const [oldest] = this.#usedAtMs.keys();
    if (this.#usedAtMs.size > MAX_NAMES && oldest !== undefined) this.#forget(oldest);
    this.#cancelSweep ??= this.#clock.schedule(IDLE_MS, () => this.#sweep());
  }

  #sweep(): void {
    const before = this.#clock.monotonicMs() - IDLE_MS;
    for (const [name, usedAtMs] of [...this.#usedAtMs]) if (usedAtMs <= before) this.#forget(name);
    this.#cancelSweep = this.#usedAtMs.size === 0 ? undefined : this.#clock.schedule(IDLE_MS, () => this.#sweep());
  }

  #forget(name: string): void {
    this.#usedAtMs.delete(name);
    this.#resolver.release(name);
  }
}
