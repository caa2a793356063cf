import type { UpstreamConnection } from './upstream-connection.ts';

/**
 * Connections between two requests that wait until the event loop has looked at every socket once more. What an upstream has sent
 * uninvited by then is read while nobody owns the connection, which ends it.
 *
 * They are linked through `settlingNext`, so that waiting allocates nothing.
 */
export class SettlingConnections {
  readonly #settled: (connection: UpstreamConnection) => void;
  /** The one that has waited longest. */
  #first: UpstreamConnection | undefined = undefined;
  #last: UpstreamConnection | undefined = undefined;
  /** The last of those that were added before the last turn; undefined where there is none of them. */
  #lastBefore: UpstreamConnection | undefined = undefined;
  #ticking = false;
  readonly #tick = (): void => this.#turn();

  /** `settled` takes every connection that was not taken out before; one may have ended in the meantime. */
  constructor(settled: (connection: UpstreamConnection) => void) {
    this.#settled = settled;
  }

  add(connection: UpstreamConnection): void {
    if (this.#last === undefined) this.#first = connection;
    else this.#last.settlingNext = connection;
    this.#last = connection;
    if (this.#ticking) return;
    this.#ticking = true;
    setImmediate(this.#tick);
  }

  /** Takes out the one that has waited longest, of those that are still open. */
  take(): UpstreamConnection | undefined {
    for (;;) {
      const longest = this.#shift();
      if (longest?.closed !== true) return longest;
    }
  }

  /** Between two turns the loop has polled: what was added before the last one has been looked at. */
  #turn(): void {
    while (this.#lastBefore !== undefined) {
      const settled = this.#shift();
      if (settled !== undefined) this.#settled(settled);
    }
    this.#lastBefore = this.#last;
    this.#ticking = this.#last !== undefined;
    if (this.#ticking) setImmediate(this.#tick);
  }

  #shift(): UpstreamConnection | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    this.#first = first.settlingNext;
    first.settlingNext = undefined;
    if (this.#first === undefined) this.#last = undefined;
    if (first === this.#lastBefore) this.#lastBefore = undefined;
    return first;
  }
}
