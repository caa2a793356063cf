import type { EngineContext } from '../engine-context.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import type { ClientInput } from './client-input.ts';
import type { ConnectionTimes } from './connection-times.ts';
import { bytesBehind, HeldRequests } from './held-requests.ts';

/** Whether a client's connection serves another request after the present one (RFC 9112 §9.3). */
export class KeepAlive {
  /** The client wants it, and nothing has happened that forbids it. */
  wanted = false;
  /** Requests begun. */
  served = 0;
  readonly #context: EngineContext;
  readonly #body: BodyReader;
  readonly #input: ClientInput;
  readonly #times: ConnectionTimes;
  /** On a connection that is to close, while a decision is carried out: what has arrived behind the request. */
  #behind: Buffer | undefined = undefined;
  #heldRequests: HeldRequests | undefined = undefined;

  constructor(context: EngineContext, body: BodyReader, input: ClientInput, times: ConnectionTimes) {
    this.#context = context;
    this.#body = body;
    this.#input = input;
    this.#times = times;
  }

  /** A decision is carried out while `bytes[start, end)`, which are behind the head, are not yet read. */
  lookBehind(bytes: Buffer, start: number, end: number): void {
    if (this.#isClosing()) this.#behind = bytesBehind(this.#body, bytes, start, end);
  }

  lookedBehind(): void {
    this.#behind = undefined;
  }

  /** After an answer that is written now, for a request that has been read whole. */
  allowed(): boolean {
    return this.#isPossible() && this.#body.done;
  }

  /**
   * After an answer that leaves the body unread: a bounded rest is thrown away. A client that waits for 100 may send its body or not
   * (RFC 9110 §10.1.1), so there nothing behind the head is to be trusted.
   */
  allowedUnread(awaitsContinue: boolean): boolean {
    const body = this.#body;
    return this.#isPossible() && (body.done || (!awaitsContinue && body.remaining <= this.#context.limits.discardedBodyBytes));
  }

  #isPossible(): boolean {
    return this.wanted && (!this.#isClosing() || this.#holdsRequests());
  }

  #isClosing(): boolean {
    const { announcesClose, limits, timeouts } = this.#context;
    const { lastReadAtMs, openedAtMs } = this.#times;
    return announcesClose || this.served >= limits.requestsPerConnection || lastReadAtMs - openedAtMs >= timeouts.clientAgeMs;
  }

  /** What has arrived behind the present request is answered before the connection closes. */
  #holdsRequests(): boolean {
    const { kept } = this.#input;
    const behind = this.#behind ?? (kept === undefined ? EMPTY_BYTES : bytesBehind(this.#body, kept, 0, kept.length));
    this.#heldRequests ??= new HeldRequests();
    return this.#heldRequests.follow(behind);
  }
}
