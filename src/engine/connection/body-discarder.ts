import type { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';

/** Reads the rest of a body and throws it away, up to a limit; so no byte of it is ever taken for another request. */
export class BodyDiscarder {
  /** Offset behind what was read. */
  position = 0;
  /** Bytes thrown away since `reset`. */
  bytes = 0;
  readonly #body: BodyReader;
  readonly #limit: number;

  constructor(body: BodyReader, limit: number) {
    this.#body = body;
    this.#limit = limit;
  }

  /** As much was thrown away as may be. */
  get full(): boolean {
    return this.bytes >= this.#limit;
  }

  reset(): void {
    this.bytes = 0;
  }

  /** Reads `bytes[start, end)`: `done` when the body ended, `failed` when it is malformed or beyond the limit, else `more`. */
  read(bytes: Buffer, start: number, end: number): number {
    let event: number = BODY.data;
    this.position = start;
    while (event === BODY.data) {
      event = this.#body.next(bytes, this.position, end);
      this.bytes += this.#body.position - this.position;
      this.position = this.#body.position;
      if (this.bytes > this.#limit) return BODY.failed;
    }
    return event;
  }
}
