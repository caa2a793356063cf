import type { Transport, TransportReceiver } from './transport.ts';

const BLOCK_BYTES = 128 * 1024;
/** More than a kernel keeps for one connection by default (Linux: 4 MiB to send, 6 MiB to receive). */
const MOST_BLOCKS = 512;
/** Blocks that are still written after the first that the kernel did not take at once. */
const BLOCKS_BEHIND = 4;

/** Throws an error that names what a transport got wrong. */
export function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** One end of a connection under test: sends numbered blocks, and compares every byte of those that it gets. */
export class TransportProbe implements TransportReceiver {
  received = 0;
  ended = false;
  flushes = 0;
  closed = false;
  failure: string | undefined = undefined;
  paused = false;
  #wrong: string | undefined = undefined;
  #sent = 0;
  #expected = block(0);
  #sending = block(0);
  #wake: (() => void) | undefined = undefined;

  onBytes(bytes: Buffer, length: number): void {
    if (this.paused) this.#fault('bytes arrived while it was paused');
    if (this.closed) this.#fault('bytes arrived after the connection closed');
    for (let offset = 0; offset < length; ) {
      const within = this.received % BLOCK_BYTES;
      if (within === 0) number(this.#expected, this.received / BLOCK_BYTES);
      const size = Math.min(BLOCK_BYTES - within, length - offset);
      const equal = this.#expected.compare(bytes, offset, offset + size, within, within + size) === 0;
      if (!equal) this.#fault(`bytes ${this.received} to ${this.received + size} are not those that were sent`);
      this.received += size;
      offset += size;
    }
    this.#changed();
  }

  onEnd(): void {
    this.ended = true;
    this.#changed();
  }

  onFlushed(): void {
    if (this.closed) this.#fault('a write ended after the connection closed');
    this.flushes++;
    this.#changed();
  }

  onClose(failure: string | undefined): void {
    if (this.closed) this.#fault('a connection closed twice');
    this.closed = true;
    this.failure = failure;
    this.#changed();
  }

  /** Bytes that its peer must have got in the end. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends one block, from the same buffer as the last where that was given back; whether it is given back again. */
  sendBlock(transport: Transport): boolean {
    number(this.#sending, this.#sent / BLOCK_BYTES);
    this.#sent += BLOCK_BYTES;
    const reusable = transport.write(this.#sending);
    if (!reusable) this.#sending = block(0);
    return reusable;
  }

  /** Sends until the kernel takes no more and a little beyond. Throws where it never stops or the count of pending bytes is wrong. */
  sendUntilPending(transport: Transport): void {
    for (let blocks = 0; blocks < MOST_BLOCKS; blocks++) {
      if (this.sendBlock(transport)) {
        expect(transport.pendingBytes === 0, 'bytes were given back and yet count as pending');
        continue;
      }
      for (let more = 0; more < BLOCKS_BEHIND; more++) this.sendBlock(transport);
      expect(transport.pendingBytes === (BLOCKS_BEHIND + 1) * BLOCK_BYTES, 'the count of pending bytes is wrong');
      return;
    }
    throw new Error('writes never become pending');
  }

  /** Waits for `holds`; throws as soon as anything wrong was seen. */
  async until(holds: () => boolean): Promise<void> {
    for (;;) {
      if (this.#wrong !== undefined) throw new Error(this.#wrong);
      if (holds()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #fault(what: string): void {
    this.#wrong ??= what;
    this.#changed();
  }

  #changed(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** A block differs from the others in its number only, which stands at many places of it. */
function block(index: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (let offset = 0; offset < BLOCK_BYTES; offset++) bytes[offset] = (offset * 31) & 0xff;
  number(bytes, index);
  return bytes;
}

function number(bytes: Buffer, index: number): void {
  for (let offset = 0; offset < BLOCK_BYTES; offset += 1024) bytes.writeUInt32BE(index, offset);
}
