import { FLAG, FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, PREFACE, uint32At } from './frame-format.ts';

/** Hears of the frames of one connection, in order. Any of them may stop the reader. */
export interface FrameHandler {
  /** A frame begins, one without payload too; nothing of that was looked at. */
  onFrameBegins(type: number, flags: number, stream: number, length: number): void;
  /** A DATA frame of `length` bytes, `padding` of which, that which says so included, are none of the data. */
  onData(stream: number, length: number, padding: number): void;
  /** A piece of the data of the frame that was told last: `bytes[start, end)`, which are anybody's after the call. */
  onDataPiece(bytes: Buffer, start: number, end: number): void;
  /** All of a DATA frame has come. */
  onDataEnds(flags: number): void;
  /** The whole payload of any other frame lies in `bytes[start, end)`, which are anybody's after the call. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void;
  /** What came is no HTTP/2: no preface, or a frame longer than allowed. */
  onBroken(problem: 'preface' | 'frame-size' | 'padding'): void;
}

const AT_PREFACE = 0;
const AT_HEAD = 1;
const AT_PADDING = 2;
const AT_DATA = 3;
const AT_PAYLOAD = 4;
const OVER = 5;

/**
 * Cuts a byte stream into frames (RFC 9113 §4). However the bytes are split, the same frames are told with the same contents, only data may come
 * in other pieces. It keeps at most one frame that is no DATA.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  #state: number;
  /** Bytes of the preface seen. */
  #prefaceSeen = 0;
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #headBytes = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** Bytes of the payload that have not come yet. */
  #left = 0;
  /** Of these, the last ones that are padding. */
  #padding = 0;
  #gathered: Buffer | undefined = undefined;
  #gatheredBytes = 0;

  /** `expectsPreface`: the peer is a client. */
  constructor(handler: FrameHandler, expectsPreface: boolean) {
    this.#handler = handler;
    this.#state = expectsPreface ? AT_PREFACE : AT_HEAD;
  }

  /** Nothing is read any more. */
  stop(): void {
    this.#state = OVER;
    this.#gathered = undefined;
  }

  read(bytes: Buffer, end: number): void {
    let position = 0;
    while (position < end || this.#isDue()) {
      switch (this.#state) {
        case AT_PREFACE:
          position = this.#readPreface(bytes, position, end);
          break;
        case AT_HEAD:
          position = this.#readHead(bytes, position, end);
          break;
        case AT_PADDING:
          position = this.#readPadding(bytes, position);
          break;
        case AT_DATA:
          position = this.#readData(bytes, position, end);
          break;
        case AT_PAYLOAD:
          position = this.#readPayload(bytes, position, end);
          break;
        default:
          return;
      }
    }
  }

  /** A frame without payload is whole with its head. */
  #isDue(): boolean {
    return this.#left === 0 && (this.#state === AT_DATA || this.#state === AT_PAYLOAD);
  }

  #readPreface(bytes: Buffer, start: number, end: number): number {
    const wanted = Math.min(end - start, PREFACE.length - this.#prefaceSeen);
    if (bytes.compare(PREFACE, this.#prefaceSeen, this.#prefaceSeen + wanted, start, start + wanted) !== 0) {
      this.#break('preface');
      return end;
    }
    this.#prefaceSeen += wanted;
    if (this.#prefaceSeen === PREFACE.length) this.#state = AT_HEAD;
    return start + wanted;
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    if (this.#headBytes === 0 && end - start >= FRAME_HEAD_BYTES) {
      this.#begin(bytes, start);
      return start + FRAME_HEAD_BYTES;
    }
    const wanted = Math.min(end - start, FRAME_HEAD_BYTES - this.#headBytes);
    bytes.copy(this.#head, this.#headBytes, start, start + wanted);
    this.#headBytes += wanted;
    if (this.#headBytes === FRAME_HEAD_BYTES) {
      this.#headBytes = 0;
      this.#begin(this.#head, 0);
    }
    return start + wanted;
  }

  #begin(bytes: Buffer, at: number): void {
    const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    this.#type = bytes[at + 3] ?? 0;
    this.#flags = bytes[at + 4] ?? 0;
    this.#stream = uint32At(bytes, at + 5) % 0x8000_0000;
    this.#left = length;
    this.#padding = 0;
    if (length > FRAME_BYTES) {
      this.#break('frame-size');
      return;
    }
    this.#handler.onFrameBegins(this.#type, this.#flags, this.#stream, length);
    if (this.#state === OVER) return;
    if (this.#type !== FRAME.data) this.#state = AT_PAYLOAD;
    else if ((this.#flags & FLAG.padded) !== 0) this.#beginPadded(length);
    else this.#beginData(length, 0);
  }

  #beginPadded(length: number): void {
    if (length === 0) this.#break('frame-size');
    else this.#state = AT_PADDING;
  }

  #readPadding(bytes: Buffer, start: number): number {
    const padding = bytes[start] ?? 0;
    const length = this.#left;
    this.#left--;
    this.#padding = padding;
    if (padding > this.#left) this.#break('padding');
    else this.#beginData(length, padding + 1);
    return start + 1;
  }

  #beginData(length: number, padding: number): void {
    this.#state = AT_DATA;
    this.#handler.onData(this.#stream, length, padding);
  }

  #readData(bytes: Buffer, start: number, end: number): number {
    const taken = Math.min(end - start, this.#left);
    const data = Math.min(taken, this.#left - this.#padding);
    this.#left -= taken;
    // The piece may be what ends the connection.
    if (data > 0) this.#handler.onDataPiece(bytes, start, start + data);
    if (this.#left === 0 && this.#state === AT_DATA) {
      this.#state = AT_HEAD;
      this.#handler.onDataEnds(this.#flags);
    }
    return start + taken;
  }

  #readPayload(bytes: Buffer, start: number, end: number): number {
    const taken = Math.min(end - start, this.#left);
    if (this.#gathered === undefined && taken === this.#left) {
      this.#tell(bytes, start, start + taken);
      return start + taken;
    }
    // Not a view of anything larger: a peer may leave it at this for long.
    this.#gathered ??= Buffer.allocUnsafeSlow(this.#left);
    bytes.copy(this.#gathered, this.#gatheredBytes, start, start + taken);
    this.#gatheredBytes += taken;
    this.#left -= taken;
    if (this.#left === 0) {
      const gathered = this.#gathered;
      this.#gathered = undefined;
      this.#gatheredBytes = 0;
      this.#tell(gathered, 0, gathered.length);
    }
    return start + taken;
  }

  #tell(bytes: Buffer, start: number, end: number): void {
    this.#state = AT_HEAD;
    this.#left = 0;
    this.#handler.onFrame(this.#type, this.#flags, this.#stream, bytes, start, end);
  }

  #break(problem: 'preface' | 'frame-size' | 'padding'): void {
    this.stop();
    this.#handler.onBroken(problem);
  }
}
