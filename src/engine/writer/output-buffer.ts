import { ByteWriter } from '../../lib/byte-writer.ts';
import type { Transport } from '../transport/transport.ts';

const SLAB_BYTES = 128 * 1024;
/** Views of messages up to this length are kept by length: making one costs as much as copying 200 bytes. */
const VIEWED_BYTES = 4096;

/**
 * The one buffer in which all messages of a server are put together, so that steady traffic allocates nothing.
 *
 * Two rules keep one client's bytes from another. A message is begun and sent within one synchronous step; beginning a second
 * before the first was sent throws. And bytes that a transport did not hand to the kernel at once are never written again: the
 * next message begins behind them, or in a new slab.
 */
export class OutputBuffer extends ByteWriter {
  #open = false;
  /** Views of the slab from its first byte on, by their length. */
  #views: (Buffer | undefined)[] = [];
  #viewed: Buffer | undefined = undefined;

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
    const reusable = transport.write(this.#view(length));
    if (reusable) this.position = this.start;
    else this.start = this.position;
    return length;
  }

  #view(length: number): Buffer {
    if (this.start !== 0 || length > VIEWED_BYTES) return this.bytes.subarray(this.start, this.position);
    if (this.#viewed !== this.bytes) {
      this.#viewed = this.bytes;
      this.#views = new Array<Buffer | undefined>(VIEWED_BYTES + 1).fill(undefined);
    }
    let view = this.#views[length];
    if (view === undefined) {
      view = this.bytes.subarray(0, length);
      this.#views[length] = view;
    }
    return view;
  }

  /** The message, in memory of its own, instead of sending it. */
  take(): Buffer {
    const message = Buffer.allocUnsafeSlow(this.length);
    this.bytes.copy(message, 0, this.start, this.position);
    this.discard();
    return message;
  }

  /** Forgets the message that was begun. */
  discard(): void {
    this.#open = false;
    this.position = this.start;
  }
}
