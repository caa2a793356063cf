import type { Transform } from 'node:stream';
import type { BodyFilter } from '../../plugin-kit/index.ts';

const IGNORE = (): void => {};

/** Compresses a body piece by piece, beside the thread; the next piece is taken when the last one is compressed. */
export class StreamingCompressor implements BodyFilter {
  readonly #stream: Transform;
  #push: (bytes: Buffer) => void = IGNORE;
  #fail: (error: Error) => void = IGNORE;

  constructor(stream: Transform) {
    this.#stream = stream;
    stream.on('data', (bytes: Buffer) => this.#push(bytes));
    stream.on('error', (error) => this.#fail(error));
  }

  write(chunk: Buffer, push: (bytes: Buffer) => void): Promise<void> {
    this.#push = push;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      // The bytes are the caller's again while another thread would still read them.
      this.#stream.write(Buffer.from(chunk), () => resolve());
    });
  }

  end(push: (bytes: Buffer) => void): Promise<void> {
    this.#push = push;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#stream.once('end', resolve);
      this.#stream.end();
    });
  }

  abort(): void {
    this.#push = IGNORE;
    this.#fail(new Error('the exchange has ended'));
    this.#stream.destroy();
  }
}
