import type { FrameConnection } from './frame-connection.ts';
import type { UsageKept } from './usage-report.ts';

type UsageConnection = Pick<FrameConnection, 'send' | 'drained'>;

/**
 * Tells gateways which of their reports are written, each on the connection by which it came: one that has come back since has forgotten
 * what it sent before. Of each connection only the last report is remembered, because an acknowledgement counts for all before it.
 */
export class UsageAcknowledgements {
  readonly #unwritten = new Map<UsageConnection, { readonly number: number; readonly kept: UsageKept }>();
  /** Written, and told as soon as the peer has read what it was sent before: one that never reads must not be sent more and more. */
  readonly #untold = new Map<UsageConnection, UsageKept>();

  /** This report came, and is written when everything up to `number` is. */
  note(connection: UsageConnection, number: number, { epoch, sequence }: UsageKept): void {
    this.#unwritten.set(connection, { number, kept: { epoch, sequence } });
  }

  written(upTo: number): void {
    for (const [connection, { number, kept }] of this.#unwritten) {
      if (number > upTo) continue;
      this.#unwritten.delete(connection);
      const isWaiting = this.#untold.has(connection);
      this.#untold.set(connection, kept);
      if (!isWaiting) void connection.drained().then(() => this.#tell(connection));
    }
  }

  /** The connection is gone. */
  forget(connection: UsageConnection): void {
    this.#unwritten.delete(connection);
    this.#untold.delete(connection);
  }

  #tell(connection: UsageConnection): void {
    const kept = this.#untold.get(connection);
    this.#untold.delete(connection);
    if (kept !== undefined) connection.send({ kind: 'usage-kept', ...kept });
  }
}
