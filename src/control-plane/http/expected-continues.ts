import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Requests with `Expect: 100-continue` whose client still waits. The interim answer is sent when the body is about to be read,
 * so that a request refused by its head alone never carries its body over the wire.
 */
export class ExpectedContinues {
  readonly #waiting = new WeakMap<IncomingMessage, ServerResponse>();

  add(request: IncomingMessage, response: ServerResponse): void {
    this.#waiting.set(request, response);
  }

  /** Tells the client to go on, when it waits. */
  send(request: IncomingMessage): void {
    this.#waiting.get(request)?.writeContinue();
    this.#waiting.delete(request);
  }
}
