/** A connection that can be closed to make room for another. */
export interface IdleConnection {
  /** Monotonic time since when it only waits for a request; -1 when it must not be closed. */
  idleSinceMs(nowMs: number): number;
}

/**
 * Idle for less than this, a connection stays: its client is between two requests, and a request on its way would meet a closed
 * connection. It equals the `Retry-After` of the refusal that the newcomer gets instead, so its next try finds whoever is really idle.
 */
const MIN_IDLE_MS = 1000;
/** Connections found by one look at all. */
const BATCH = 64;
/** A look that found nothing is not repeated for this long, so that a flood of refusals does not cost a look each. */
const PAUSE_MS = 10;

/**
 * Finds the connections that have been idle longest, without any work while connections come and go as they should: only
 * when room is wanted all are looked at, and the 64 found are used up before the next look. One that has been idle for a second
 * may be overlooked for 10 ms.
 */
export class IdleVictims<Connection extends IdleConnection> {
  readonly #all: Iterable<Connection>;
  /** Longest idle last. */
  readonly #found: { readonly connection: Connection; readonly sinceMs: number }[] = [];
  #lookAgainAtMs = 0;

  constructor(all: Iterable<Connection>) {
    this.#all = all;
  }

  /** The connection idle longest, or undefined when none has been for a second. The caller closes it. */
  take(nowMs: number): Connection | undefined {
    const found = this.#takeFound(nowMs);
    if (found !== undefined || nowMs < this.#lookAgainAtMs) return found;
    this.#look(nowMs);
    return this.#takeFound(nowMs);
  }

  /** What the last look found may be busy, or gone, by now. */
  #takeFound(nowMs: number): Connection | undefined {
    for (let next = this.#found.pop(); next !== undefined; next = this.#found.pop()) {
      if (next.connection.idleSinceMs(nowMs) === next.sinceMs) return next.connection;
    }
    return undefined;
  }

  #look(nowMs: number): void {
    const idle: { readonly connection: Connection; readonly sinceMs: number }[] = [];
    for (const connection of this.#all) {
      const sinceMs = connection.idleSinceMs(nowMs);
      if (sinceMs !== -1 && nowMs - sinceMs >= MIN_IDLE_MS) idle.push({ connection, sinceMs });
    }
    idle.sort((one, other) => other.sinceMs - one.sinceMs);
    this.#found.push(...idle.slice(-BATCH));
    this.#lookAgainAtMs = nowMs + PAUSE_MS;
  }
}
