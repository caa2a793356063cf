import type { ErrorReason } from '../errors/index.ts';
import type { ServedConnection } from './served-connection.ts';

/**
 * Connections beyond the limit, kept only as long as it takes to answer their first request with the reason. There is a bounded number of
 * them: for each one more the oldest is answered at once, whether it has asked yet or not, and closed.
 */
export class RefusedConnections {
  readonly #limit: number;
  readonly #connections = new Set<ServedConnection>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(connection: ServedConnection, reason: ErrorReason): void {
    connection.refuseFirst(reason);
    this.#connections.add(connection);
    if (this.#connections.size <= this.#limit) return;
    const [oldest] = this.#connections;
    if (oldest === undefined) return;
    this.#connections.delete(oldest);
    oldest.refuseNow();
  }

  delete(connection: ServedConnection): void {
    this.#connections.delete(connection);
  }
}
