import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/logger.ts';

export interface NameResolverOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Addresses of a name: canonical, without repetition, IPv4 before IPv6. */
export type NameChangeListener = (name: string, addresses: readonly string[]) => void;

/** Stub: signatures only. */
export class NameResolver {
  constructor(_options: NameResolverOptions) {}
  /** Keeps the name resolved until it has been released as often as retained. */
  retain(_name: string): void {}
  release(_name: string): void {}
  /** The last good addresses; undefined when the name never resolved. An IP literal is its own address at once. */
  addressesOf(_name: string): readonly string[] | undefined {
    return undefined;
  }
  /** Called whenever a retained name's addresses differ from before. Returns how to stop. */
  onChange(_listener: NameChangeListener): () => void {
    return () => {};
  }
  /** Resolves when each of these retained names has an answer (good or bad), at the latest after `timeoutMs`. Never rejects. */
  async resolved(_names: readonly string[], _timeoutMs: number): Promise<void> {}
  /** Ends all pending work. */
  close(): void {}
}
