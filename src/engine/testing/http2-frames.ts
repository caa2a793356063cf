import type { Socket } from 'node:net';
import { FLAG, FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, PREFACE } from '../http2/frames/frame-format.ts';

export { FLAG, FRAME, PREFACE } from '../http2/frames/frame-format.ts';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/**
 * A client, or a server, that writes each frame as the test says, right or wrong, and reads what comes back. A client acknowledges settings and
 * PINGs by itself, as everyone has to.
 */
export class Http2Frames {
  readonly socket: Socket;
  readonly received: Frame[] = [];
  closed = false;
  #unread = Buffer.alloc(0);
  #waiters: (() => void)[] = [];
  #prefaceBytes: number;
  readonly #answers: boolean;

  /** `isServer`: what comes begins with the preface of a client. */
  constructor(socket: Socket, isServer = false) {
    this.socket = socket;
    this.#prefaceBytes = isServer ? PREFACE.length : 0;
    this.#answers = !isServer;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    socket.on('end', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** The preface and an empty SETTINGS frame, as every client begins. */
  begin(settings: readonly (readonly [number, number])[] = []): void {
    const payload = Buffer.alloc(settings.length * 6);
    settings.forEach(([name, value], index) => {
      payload.writeUInt16BE(name, index * 6);
      payload.writeUInt32BE(value, index * 6 + 2);
    });
    this.socket.write(Buffer.concat([PREFACE, frameBytes(FRAME.settings, 0, 0, payload)]));
  }

  send(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.socket.write(frameBytes(type, flags, stream, payload));
  }

  /** A request whose fields are written one by one, without compression. */
  request(stream: number, fields: readonly (readonly [string, string])[], endStream = true): void {
    this.block(stream, fieldBlock(fields), endStream);
  }

  /** A block of fields, in CONTINUATION frames what no single frame can hold. */
  block(stream: number, block: Buffer, endStream = true): void {
    for (let start = 0; start === 0 || start < block.length; start += FRAME_BYTES) {
      const last = start + FRAME_BYTES >= block.length ? FLAG.endHeaders : 0;
      const first = start === 0 && endStream ? FLAG.endStream : 0;
      this.send(start === 0 ? FRAME.headers : FRAME.continuation, last | first, stream, block.subarray(start, start + FRAME_BYTES));
    }
  }

  /** The first frame received that fits, now or later; undefined when the connection closes before. */
  async frame(fits: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined || this.closed) return found;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** The error code of the RST_STREAM that a stream ends with, or of the GOAWAY that the connection ends with. */
  async errorCode(stream: number): Promise<number | undefined> {
    const frame = await this.frame(
      ({ type, stream: on, payload }) =>
        (type === FRAME.rstStream && on === stream) || (type === FRAME.goaway && payload.readUInt32BE(4) !== 0),
    );
    return frame?.type === FRAME.goaway ? frame.payload.readUInt32BE(4) : frame?.payload.readUInt32BE(0);
  }

  /** The status that a stream is answered with, which stands in the static table or behind its name. */
  async status(stream: number): Promise<number | undefined> {
    const frame = await this.frame(({ type, stream: on }) => on === stream && (type === FRAME.headers || type === FRAME.rstStream));
    return frame?.type === FRAME.headers ? statusOf(frame.payload) : undefined;
  }

  async whenClosed(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    const skipped = Math.min(this.#prefaceBytes, this.#unread.length);
    this.#prefaceBytes -= skipped;
    this.#unread = this.#unread.subarray(skipped);
    while (this.#unread.length >= FRAME_HEAD_BYTES) {
      const length = this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < FRAME_HEAD_BYTES + length) break;
      const frame: Frame = {
        type: this.#unread[3] ?? 0,
        flags: this.#unread[4] ?? 0,
        stream: this.#unread.readUInt32BE(5) & 0x7fffffff,
        payload: this.#unread.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length),
      };
      this.received.push(frame);
      if (this.#answers) this.#answer(frame);
      this.#unread = this.#unread.subarray(FRAME_HEAD_BYTES + length);
    }
    this.#wake();
  }

  #answer({ type, flags, payload }: Frame): void {
    if ((flags & FLAG.ack) !== 0 || !this.socket.writable) return;
    if (type === FRAME.settings) this.send(FRAME.settings, FLAG.ack, 0);
    else if (type === FRAME.ping) this.send(FRAME.ping, FLAG.ack, 0, payload);
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

export function frameBytes(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(stream, 5);
  frame.set(payload, FRAME_HEAD_BYTES);
  return frame;
}

/** Fields as literals that are not indexed and not compressed (RFC 7541 §6.2.2). */
export function fieldBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** RFC 7541 §5.1 */
export function integer(value: number, prefixBits: number, flags = 0): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([flags | value]);
  const bytes = [flags | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const INDEXED: Readonly<Record<number, number>> = { 8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500 };

function statusOf(block: Buffer): number | undefined {
  let position = 0;
  // A change of the table's size may stand in front.
  while (((block[position] ?? 0) & 0xe0) === 0x20) position++;
  const first = block[position] ?? 0;
  if (first >= 128) return INDEXED[first & 127];
  const length = block[position + 1] ?? 0;
  if ((length & 128) !== 0) return huffmanDigits(block.subarray(position + 2, position + 2 + (length & 127)));
  return Number(block.toString('latin1', position + 2, position + 2 + length));
}

/** Of the Huffman code only the digits: `0` to `2` have five bits, `3` to `9` six (RFC 7541 appendix B). */
function huffmanDigits(bytes: Buffer): number {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  let digits = '';
  while (digits.length < 3) {
    const five = Number.parseInt(bits.slice(0, 5), 2);
    if (five <= 2) {
      digits += five;
      bits = bits.slice(5);
    } else {
      digits += Number.parseInt(bits.slice(0, 6), 2) - 0x19 + 3;
      bits = bits.slice(6);
    }
  }
  return Number(digits);
}
