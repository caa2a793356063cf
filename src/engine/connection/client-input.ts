import { EMPTY_BYTES } from '../writer/fixed-lines.ts';

/** Who the bytes of a client are for. */
export interface InputReader {
  /** Whether bytes have a place to go to now. */
  takesInput(): boolean;
  /** Reads `bytes[start, end)`, at least one byte of it; returns the offset behind what was taken. */
  takeInput(bytes: Buffer, start: number, end: number): number;
  /** As `takeInput`, for what has come behind a head about which the handler has decided late; that may be nothing. */
  takeDecided(bytes: Buffer, start: number, end: number): number;
}

/** What a client has sent: read at once as far as it is wanted, kept otherwise. Who reads it pauses the client while some is kept. */
export class ClientInput {
  readonly #reader: InputReader;
  /** Bytes that arrived and wait for their turn; nobody else writes into them. */
  #kept: Buffer | undefined = undefined;
  #reading = false;

  constructor(reader: InputReader) {
    this.#reader = reader;
  }

  get kept(): Buffer | undefined {
    return this.#kept;
  }

  /** `bytes[0, length)` arrived, in a buffer that is used again. */
  arrived(bytes: Buffer, length: number): void {
    if (this.#kept !== undefined) this.#kept = Buffer.concat([this.#kept, bytes.subarray(0, length)]);
    else this.#read(bytes, 0, length, false);
  }

  /** More may be wanted than before. False where reading goes on anyway, further up the stack. */
  goOn(): boolean {
    if (this.#reading) return false;
    while (this.#kept !== undefined && this.#reader.takesInput()) {
      const kept = this.#kept;
      this.#kept = undefined;
      this.#read(kept, 0, kept.length, true);
    }
    return true;
  }

  /** The handler has decided late. */
  decided(): void {
    const kept = this.#kept ?? EMPTY_BYTES;
    this.#kept = undefined;
    this.#reading = true;
    const position = this.#reader.takeDecided(kept, 0, kept.length);
    this.#read(kept, position, kept.length, true);
  }

  /** What waits is wanted no more. */
  drop(): void {
    this.#kept = undefined;
  }

  #read(bytes: Buffer, start: number, end: number, own: boolean): void {
    let position = start;
    this.#reading = true;
    while (position < end && this.#reader.takesInput()) position = this.#reader.takeInput(bytes, position, end);
    this.#reading = false;
    if (position < end) this.#kept = own ? bytes.subarray(position, end) : copyOf(bytes, position, end);
  }
}

/** In memory of its own: a short `Buffer.from` would keep a block of 64 KiB for as long as the bytes wait. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
