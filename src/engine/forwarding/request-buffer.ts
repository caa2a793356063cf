/** Bytes of a buffer in which a request to an upstream is put together. */
const SMALL_BYTES = 4096;
/** … with what one read brings of its body: 64 KiB at most, and a head. */
const LARGE_BYTES = 80 * 1024;

/** A buffer for the first piece of a request, with the view of it that was sent last: requests of one connection are much alike. */
export class RequestBuffer {
  readonly bytes: Buffer;
  #view: Buffer | undefined = undefined;

  private constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  static small(): RequestBuffer {
    return new RequestBuffer(Buffer.allocUnsafeSlow(SMALL_BYTES));
  }

  static large(): RequestBuffer {
    return new RequestBuffer(Buffer.allocUnsafeSlow(LARGE_BYTES));
  }

  /** Whether a message of this length belongs into a large one. */
  static isLarge(length: number): boolean {
    return length > SMALL_BYTES;
  }

  get isLarge(): boolean {
    return this.bytes.length > SMALL_BYTES;
  }

  /** The first `length` bytes. */
  view(length: number): Buffer {
    let view = this.#view;
    if (view === undefined || view.length !== length) {
      view = this.bytes.subarray(0, length);
      this.#view = view;
    }
    return view;
  }
}
