import type { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import { hasRefusedTrailer } from '../parser/trailer-fields.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';

const SMALLEST_BYTES = 1024;

/** What a caller wants: the body, or its first bytes and no more. */
export type CollectedPart = 'whole' | 'start';

interface Waiter {
  readonly part: CollectedPart;
  resolve(body: Buffer | 'too-large'): void;
  reject(error: Error): void;
}

/**
 * One request's body, gathered in memory before the request is decided. It holds at most what its callers allow and, of a chunked
 * body that is larger, what one read brought beyond that.
 */
export class BodyCollector {
  /** Monotonic time when it last stopped gathering; before, when the head was read. */
  settledAtMs: number;
  readonly #body: BodyReader;
  #room: Buffer = EMPTY_BYTES;
  #length = 0;
  #maxBytes = 0;
  #waiter: Waiter | undefined = undefined;

  constructor(body: BodyReader, headReadAtMs: number) {
    this.#body = body;
    this.settledAtMs = headReadAtMs;
  }

  /** More of the body is wanted. */
  get collecting(): boolean {
    return this.#waiter !== undefined;
  }

  /** Bytes gathered so far. */
  get length(): number {
    return this.#length;
  }

  /** What was gathered so far. */
  get bytes(): Buffer {
    return this.#room.length === this.#length ? this.#room : this.#room.subarray(0, this.#length);
  }

  /** That is the whole body. */
  get whole(): boolean {
    return this.#body.done;
  }

  /** As `Exchange.readBody` or, where its `start` is wanted, `Exchange.readBodyStart`; more may be given to `take` while `collecting`. */
  collect(maxBytes: number, part: CollectedPart): Promise<Buffer | 'too-large'> {
    if (this.#waiter !== undefined) return Promise.reject(new Error('the body is being read already'));
    // What is to come of a chunked body is not known.
    if (part === 'whole' && this.#length + this.#body.remaining > maxBytes) return Promise.resolve('too-large');
    if (this.#body.done || (part === 'start' && this.#length >= maxBytes)) return Promise.resolve(this.bytes.subarray(0, maxBytes));
    this.#maxBytes = maxBytes;
    const promise = new Promise<Buffer | 'too-large'>((resolve, reject) => {
      this.#waiter = { part, resolve, reject };
    });
    // Who has asked may have stopped listening, and a rejection that nobody hears ends the process.
    promise.catch(() => {});
    return promise;
  }

  /** Gathers from `bytes[start, end)`; returns the offset behind what was taken, or -1 for a malformed body. */
  take(bytes: Buffer, start: number, end: number): number {
    const body = this.#body;
    let position = start;
    while (this.#waiter !== undefined) {
      const event = body.next(bytes, position, end);
      position = body.position;
      if (event === BODY.more) return position;
      if (event === BODY.failed || (event === BODY.done && hasRefusedTrailer(body.chunked))) return -1;
      if (event === BODY.data) this.#append(bytes, body.dataStart, body.dataEnd);
      if (this.#waiter?.part === 'start') {
        if (body.done || this.#length >= this.#maxBytes) this.#settle(this.bytes.subarray(0, this.#maxBytes));
      } else if (this.#length > this.#maxBytes) this.#settle('too-large');
      else if (body.done) this.#settle(this.bytes);
    }
    return position;
  }

  /** Nothing more is gathered: whoever waits is told why. */
  stop(why: string): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.reject(new Error(why));
  }

  #settle(outcome: Buffer | 'too-large'): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.resolve(outcome);
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const needed = this.#length + end - start;
    if (this.#room.length < needed) {
      // A length that is only announced takes no memory.
      const most = this.#body.kind === 'length' ? needed + this.#body.remaining : this.#maxBytes;
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(most, Math.max(SMALLEST_BYTES, this.#room.length * 2))));
      this.#room.copy(larger, 0, 0, this.#length);
      this.#room = larger;
    }
    bytes.copy(this.#room, this.#length, start, end);
    this.#length = needed;
  }
}
