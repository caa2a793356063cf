import type { LoopPlace } from './loop-place.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/**
 * Connections that a request waits for: given back so lately that the event loop has not looked at every socket since. What an upstream
 * has sent uninvited is read while nobody owns the connection, which ends it.
 */
export class SettlingConnections {
  readonly #place: () => LoopPlace;
  readonly #settled: (connection: UpstreamConnection) => void;
  #waiting: UpstreamConnection[] = [];
  readonly #tick = (): void => this.#turn();

  /** `settled` hears of each once, behind the look that it has waited for; it may have ended or been given up in the meantime. */
  constructor(place: () => LoopPlace, settled: (connection: UpstreamConnection) => void) {
    this.#place = place;
    this.#settled = settled;
  }

  add(connection: UpstreamConnection): void {
    this.#waiting.push(connection);
    if (this.#waiting.length === 1) setImmediate(this.#tick);
  }

  /** Runs when the look that `loopCount` counts is over; one that began before a connection was given back has shown nothing of it. */
  #turn(): void {
    const { loopCount } = this.#place();
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ freedTurn }) => freedTurn >= loopCount);
    if (this.#waiting.length > 0) setImmediate(this.#tick);
    for (const connection of waiting) if (connection.freedTurn < loopCount) this.#settled(connection);
  }
}
