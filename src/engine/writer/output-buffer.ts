import type { Transport } from '../transport/transport.ts';
import { ByteWriter } from './byte-writer.ts';

const SLAB_BYTES = 128 * 1024;

/**
 * The one buffer in which all messages of a server are put together, so that steady traffic allocates nothing.
 *
 * Two rules keep one client's bytes from another. A message is begun and sent within one synchronous step; beginning a second
 * before the first was sent throws. And bytes that a transport did not hand to the kernel at once are never written again: the
 * next message begins behind them, or in a new slab.
 */
export class OutputBuffer extends ByteWriter {
  #open = false;

  constructor() {
    super(Buffer.allocUnsafeSlow(SLAB_BYTES), SLAB_BYTES);
  }

  /** Begins a message; `expectedLength` only saves moving it later. */
  begin(expectedLength: number): void {
    if (this.#open) throw new Error('two messages are written into one buffer at once');
    this.#open = true;
    if (this.bytes.length - this.start >= expectedLength) return;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, expectedLength));
    this.start = 0;
    this.position = 0;
  }

  /** Writes the message to `transport`, if there is any; returns its length. */
  send(transport: Transport): number {
    const length = this.length;
    this.#open = false;
    if (length === 0) return 0;
    const reusable = transport.write(this.bytes.subarray(this.start, this.position));
    if (reusable) this.position = this.start;
    else this.start = this.position;
    return length;
  }

  /** Forgets the message that was begun. */
  discard(): void {
    this.#open = false;
    this.position = this.start;
  }
}
