/** A reader's fixed-length views on a growing shared buffer, renewed when something beyond their end is to be read. */
export class SharedBytesView {
  bytes: Buffer<SharedArrayBuffer>;
  words: Uint32Array<SharedArrayBuffer>;
  readonly #buffer: SharedArrayBuffer;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.bytes = Buffer.from(buffer, 0, buffer.byteLength);
    this.words = new Uint32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  }

  /** Makes sure that the views reach this far, which the writer has done before it published anything there. */
  reach(byteLength: number): void {
    if (byteLength <= this.bytes.length) return;
    this.bytes = Buffer.from(this.#buffer, 0, this.#buffer.byteLength);
    this.words = new Uint32Array(this.#buffer, 0, Math.floor(this.#buffer.byteLength / 4));
  }
}
