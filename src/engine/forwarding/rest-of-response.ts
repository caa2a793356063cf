import type { CancelTask } from '../../lib/clock.ts';
import type { EngineContext } from '../engine-context.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream/upstream-connection.ts';

/**
 * Reads the rest of a response whose answer is complete without it, and throws it away, so that the connection can serve another
 * request. Up to `limits.discardedBodyBytes` within `timeouts.lingerMs`; one that takes more ends.
 */
export class RestOfResponse implements UpstreamOwner {
  readonly #context: EngineContext;
  readonly #connection: UpstreamConnection;
  readonly #body: BodyReader;
  readonly #keepAliveMs: number;
  readonly #cancelDeadline: CancelTask;
  #bytes = 0;

  /** Takes the connection over. `keepAliveMs` is what the upstream has announced. */
  constructor(context: EngineContext, connection: UpstreamConnection, body: BodyReader, keepAliveMs: number) {
    this.#context = context;
    this.#connection = connection;
    this.#body = body;
    this.#keepAliveMs = keepAliveMs;
    connection.owner = this;
    this.#cancelDeadline = context.clock.schedule(context.timeouts.lingerMs, () => this.#giveUp());
    if (body.remaining > context.limits.discardedBodyBytes) this.#giveUp();
  }

  onConnected(): void {}

  onBytes(bytes: Buffer, length: number): void {
    const event = this.#body.skip(bytes, 0, length);
    this.#bytes += length;
    if (event === BODY.failed || this.#body.position < length || this.#bytes > this.#context.limits.discardedBodyBytes) {
      this.#giveUp();
    } else if (event === BODY.done) {
      this.#cancelDeadline();
      this.#context.pool.release(this.#connection, this.#keepAliveMs);
    }
  }

  onEnd(): void {
    this.#giveUp();
  }

  onFlushed(): void {}

  onClose(): void {
    this.#cancelDeadline();
  }

  #giveUp(): void {
    this.#cancelDeadline();
    this.#connection.destroy();
  }
}
