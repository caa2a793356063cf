import { isUtf8 } from 'node:buffer';
import { MAX_FRAME_BYTES } from './protocol.ts';

const LENGTH_BYTES = 4;

/** The peer does not speak the protocol; its connection is of no further use. */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/**
 * One message as it goes over the wire: four bytes of length, then JSON.
 * @throws RangeError when the message is larger than a peer would accept
 */
export function encodeFrame(message: object): Buffer {
  const text = JSON.stringify(message);
  const length = Buffer.byteLength(text);
  if (length > MAX_FRAME_BYTES) throw new RangeError(`a message of ${length} bytes is above the limit of a frame`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + length);
  frame.writeUInt32BE(length, 0);
  frame.write(text, LENGTH_BYTES);
  return frame;
}

/**
 * Cuts a stream of bytes into frames, wherever the bytes were split on the way. It never holds more than one frame and the chunk
 * at hand, and a length above the limit is refused before anything is kept for it.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  #pieces: Buffer[] = [];
  #bufferedBytes = 0;
  #neededBytes = LENGTH_BYTES;
  #readingLength = true;

  constructor(maxFrameBytes = MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** The texts of the frames that `chunk` completes. @throws ProtocolError; the decoder is of no use afterwards */
  *push(chunk: Buffer): Generator<string, void> {
    this.#pieces.push(chunk);
    this.#bufferedBytes += chunk.length;
    while (this.#bufferedBytes >= this.#neededBytes) {
      const bytes = this.#take(this.#neededBytes);
      if (this.#readingLength) {
        this.#neededBytes = this.#checkedLength(bytes.readUInt32BE(0));
        this.#readingLength = false;
      } else {
        this.#neededBytes = LENGTH_BYTES;
        this.#readingLength = true;
        if (!isUtf8(bytes)) throw new ProtocolError('a frame is not valid UTF-8');
        yield bytes.toString('utf8');
      }
    }
  }

  #checkedLength(length: number): number {
    if (length === 0) throw new ProtocolError('a frame is empty');
    if (length > this.#maxFrameBytes) throw new ProtocolError(`a frame of ${length} bytes is above the limit of ${this.#maxFrameBytes}`);
    return length;
  }

  #take(length: number): Buffer {
    const [first] = this.#pieces;
    const all = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    const rest = all.subarray(length);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#bufferedBytes = rest.length;
    return all.subarray(0, length);
  }
}
