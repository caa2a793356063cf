import type { UpstreamConnection } from './upstream-connection.ts';

/**
 * Connections between two requests that wait until the event loop has looked at every socket once more. What an upstream has sent
 * uninvited by then is read while nobody owns the connection, which ends it.
 */
export class SettlingConnections {
  readonly #settled: (connection: UpstreamConnection) => void;
  #before: UpstreamConnection[] = [];
  #now: UpstreamConnection[] = [];
  #ticking = false;
  readonly #tick = (): void => this.#turn();

  /** `settled` takes every connection that was not taken out before; one may have ended in the meantime. */
  constructor(settled: (connection: UpstreamConnection) => void) {
    this.#settled = settled;
  }

  add(connection: UpstreamConnection): void {
    this.#now.push(connection);
    if (this.#ticking) return;
    this.#ticking = true;
    setImmediate(this.#tick);
  }

  /** Takes out the one that has waited longest, of those that are still open. */
  take(): UpstreamConnection | undefined {
    for (;;) {
      const longest = this.#before.shift() ?? this.#now.shift();
      if (longest?.closed !== true) return longest;
    }
  }

  /** Between two turns the loop has polled: what was added before the last one has been looked at. */
  #turn(): void {
    const settled = this.#before;
    this.#before = this.#now;
    this.#now = [];
    this.#ticking = this.#before.length > 0;
    if (this.#ticking) setImmediate(this.#tick);
    for (const connection of settled) this.#settled(connection);
  }
}
