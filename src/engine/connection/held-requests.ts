import type { BodyReader } from '../parser/body-reader.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';

const CR = 0x0d;
const LF = 0x0a;
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');

/** How often an answer waits for what has come since the one before: as many reads as a burst of requests may take. */
const MOST_READS = 16;

/**
 * Whether a connection that is to close holds requests that its client has sent behind the present one (RFC 9112 §9.3.2), so that
 * those are answered first: a client whose requests were received must not find them unanswered behind `Connection: close`.
 *
 * A request of which only a part has come counts too, so that a burst that came in several packets stays whole. But a client that never
 * stops sending is told to close behind the sixteenth read: waiting for it would only put off its cut to the end of the drain.
 */
export class HeldRequests {
  #reads = 0;
  /** Bytes that were behind the request before. */
  #bytes = 0;

  /** `behind`: what was received behind the present request. */
  follow(behind: Buffer): boolean {
    let start = 0;
    while (start < behind.length && (behind[start] === CR || behind[start] === LF)) start++;
    if (start === behind.length) return false;
    // A request has been taken since, so where there is not less than before there has come more.
    const grown = behind.length >= this.#bytes;
    this.#bytes = behind.length;
    if (grown || behind.indexOf(HEAD_END, start) === -1) this.#reads++;
    return this.#reads <= MOST_READS;
  }
}

/** Of `bytes[start, end)`, which begin with what `body` has yet to read, those behind the body; none where its end is not known yet. */
export function bytesBehind(body: BodyReader, bytes: Buffer, start: number, end: number): Buffer {
  const bodyEnd = body.endIn(bytes, start, end);
  return bodyEnd === undefined ? EMPTY_BYTES : bytes.subarray(bodyEnd, end);
}
