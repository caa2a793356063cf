import type { BodyFilter } from '../../plugin-kit/index.ts';
import type { Codec } from './codec.ts';
import { StreamingCompressor } from './streaming-compressor.ts';

/** A body that was short and grew on its way, by another filter, is compressed piece by piece from here on. */
const MAX_GATHERED_BYTES = 64 * 1024;

/** Compresses a body that is short or that is whole anyway: costs a fraction of what a stream costs. */
export class WholeBodyCompressor implements BodyFilter {
  readonly #codec: Codec;
  #pieces: Buffer[] = [];
  #length = 0;
  #stream: StreamingCompressor | undefined;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  write(chunk: Buffer, push: (bytes: Buffer) => void): void | Promise<void> {
    if (this.#stream !== undefined) return this.#stream.write(chunk, push);
    this.#pieces.push(Buffer.from(chunk));
    this.#length += chunk.length;
    if (this.#length <= MAX_GATHERED_BYTES) return undefined;
    this.#stream = new StreamingCompressor(this.#codec.createStream(undefined));
    return this.#stream.write(this.#takeGathered(), push);
  }

  end(push: (bytes: Buffer) => void): void | Promise<void> {
    if (this.#stream !== undefined) return this.#stream.end(push);
    const body = this.#takeGathered();
    if (body.length > this.#codec.maxBytesAtOnce) return this.#codec.compressAside(body).then(push);
    push(this.#codec.compressAtOnce(body));
    return undefined;
  }

  abort(): void {
    this.#pieces = [];
    this.#stream?.abort();
  }

  #takeGathered(): Buffer {
    const body = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return body;
  }
}
