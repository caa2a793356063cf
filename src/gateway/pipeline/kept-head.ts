import type { RequestHead } from '../../engine/index.ts';

/**
 * A copy of a request's head, for the phases behind the decision: by then the bytes of the head itself may hold another client's request.
 */
export class KeptHead implements RequestHead {
  readonly bytes: Buffer;
  readonly methodStart: number;
  readonly methodEnd: number;
  readonly targetStart: number;
  readonly targetEnd: number;
  readonly queryStart: number;
  readonly hostStart: number;
  readonly hostEnd: number;
  readonly minorVersion: 0 | 1;
  readonly headerCount: number;
  readonly headers: Int32Array;
  readonly body: 'none' | 'length' | 'chunked';
  readonly contentLength: number;

  constructor(head: RequestHead) {
    const start = Math.min(head.methodStart, head.hostStart);
    const end = Math.max(head.targetEnd, head.hostEnd, head.headers[head.headerCount * 4 - 1] ?? 0);
    this.bytes = Buffer.allocUnsafeSlow(end - start);
    head.bytes.copy(this.bytes, 0, start, end);
    this.methodStart = head.methodStart - start;
    this.methodEnd = head.methodEnd - start;
    this.targetStart = head.targetStart - start;
    this.targetEnd = head.targetEnd - start;
    this.queryStart = head.queryStart - start;
    this.hostStart = head.hostStart - start;
    this.hostEnd = head.hostEnd - start;
    this.minorVersion = head.minorVersion;
    this.headerCount = head.headerCount;
    this.headers = head.headers.slice(0, head.headerCount * 4);
    for (let index = 0; index < this.headers.length; index++) this.headers[index] = (this.headers[index] ?? 0) - start;
    this.body = head.body;
    this.contentLength = head.contentLength;
  }

  findHeader(lowerCaseName: Uint8Array, from = 0): number {
    for (let index = from; index < this.headerCount; index++) if (this.#isNamed(index, lowerCaseName)) return index;
    return -1;
  }

  /** The request has been sent: nothing is left to be cut. */
  cutHeader(): void {}

  isCut(): boolean {
    return false;
  }

  #isNamed(index: number, lowerCaseName: Uint8Array): boolean {
    const start = this.headers[index * 4] ?? 0;
    const length = (this.headers[index * 4 + 1] ?? 0) - start;
    if (length !== lowerCaseName.length) return false;
    for (let offset = 0; offset < length; offset++) {
      const byte = this.bytes[start + offset] ?? 0;
      if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== lowerCaseName[offset]) return false;
    }
    return true;
  }
}
