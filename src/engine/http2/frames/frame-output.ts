import type { Transport } from '../../transport/transport.ts';
import { FLAG, FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, SETTING_BYTES } from './frame-format.ts';
import { SLAB_BYTES, type SlabPool } from './slab-pool.ts';

/** Messages of this length are given away rather than copied, where the transport would. */
const GIVEN_BYTES = 8 * 1024;
const NO_FLAGS = 0;
const NO_STREAM = 0;

/** Writes frames (RFC 9113 §6) one behind the other, and sends them together. What is written lies in memory of its own until then. */
export class FrameOutput {
  /** Frames that answer the peer's and that the kernel has not taken yet: a peer that reads has few. */
  owedAnswers = 0;
  readonly #slabs: SlabPool;
  readonly #onWritten: () => void;
  #transport: Transport | undefined = undefined;
  #slab: Buffer | undefined = undefined;
  #length = 0;
  /** Those that the transport reads from. */
  #given: Buffer[] = [];
  /** The stream whose DATA frame is the last thing written, and where its flags are. */
  #lastDataStream = NO_STREAM;
  #lastDataFlags = 0;
  #isDropped = false;

  /** `onWritten` hears that something is there to be sent, once until it was. */
  constructor(slabs: SlabPool, onWritten: () => void) {
    this.#slabs = slabs;
    this.#onWritten = onWritten;
  }

  /** From here on it can send. */
  attach(transport: Transport): void {
    this.#transport = transport;
  }

  /** Bytes that the kernel has not taken. */
  get pendingBytes(): number {
    return this.#length + (this.#transport?.pendingBytes ?? 0);
  }

  /** Writes `bytes[start, end)`, at most `FRAME_BYTES` of it. */
  data(stream: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const at = this.#begin(FRAME.data, endStream ? FLAG.endStream : NO_FLAGS, stream, end - start);
    if (this.#slab !== undefined) bytes.copy(this.#slab, at, start, end);
    this.#lastDataStream = stream;
    this.#lastDataFlags = at - FRAME_HEAD_BYTES + 4;
  }

  /** Makes the stream's last DATA frame its end, if that is the last thing written; else false. */
  endWithLastData(stream: number): boolean {
    if (this.#lastDataStream !== stream || this.#slab === undefined) return false;
    this.#slab[this.#lastDataFlags] = FLAG.endStream;
    this.#lastDataStream = NO_STREAM;
    return true;
  }

  /** Writes a block of fields, in CONTINUATION frames what no single one holds. */
  headers(stream: number, block: Buffer, endStream: boolean): void {
    const first = Math.min(block.length, FRAME_BYTES);
    const isWhole = first === block.length ? FLAG.endHeaders : NO_FLAGS;
    const at = this.#begin(FRAME.headers, isWhole | (endStream ? FLAG.endStream : NO_FLAGS), stream, first);
    if (this.#slab !== undefined) block.copy(this.#slab, at, 0, first);
    for (let start = first; start < block.length; start += FRAME_BYTES) {
      const end = Math.min(block.length, start + FRAME_BYTES);
      const position = this.#begin(FRAME.continuation, end === block.length ? FLAG.endHeaders : NO_FLAGS, stream, end - start);
      if (this.#slab !== undefined) block.copy(this.#slab, position, start, end);
    }
  }

  resetStream(stream: number, code: number): void {
    this.#number(this.#begin(FRAME.rstStream, NO_FLAGS, stream, 4), code);
    this.owedAnswers++;
  }

  /** Writes name and value in turn. */
  settings(pairs: readonly (readonly [number, number])[]): void {
    let at = this.#begin(FRAME.settings, NO_FLAGS, NO_STREAM, pairs.length * SETTING_BYTES);
    for (const [name, value] of pairs) {
      this.#slab?.writeUInt16BE(name, at);
      this.#number(at + 2, value);
      at += SETTING_BYTES;
    }
  }

  settingsTaken(): void {
    this.#begin(FRAME.settings, FLAG.ack, NO_STREAM, 0);
    this.owedAnswers++;
  }

  /** Writes the eight bytes from `start` on. */
  ping(bytes: Buffer, start: number, isAnswer: boolean): void {
    const at = this.#begin(FRAME.ping, isAnswer ? FLAG.ack : NO_FLAGS, NO_STREAM, 8);
    if (this.#slab !== undefined) bytes.copy(this.#slab, at, start, start + 8);
    if (isAnswer) this.owedAnswers++;
  }

  goaway(lastStream: number, code: number): void {
    const at = this.#begin(FRAME.goaway, NO_FLAGS, NO_STREAM, 8);
    this.#number(at, lastStream);
    this.#number(at + 4, code);
  }

  windowUpdate(stream: number, increment: number): void {
    this.#number(this.#begin(FRAME.windowUpdate, NO_FLAGS, stream, 4), increment);
  }

  /** Writes `bytes` as they are. */
  raw(bytes: Buffer): void {
    const at = this.#room(bytes.length);
    if (this.#slab !== undefined) bytes.copy(this.#slab, at);
    this.#length += bytes.length;
  }

  /** Sends what is written. */
  flush(): void {
    const slab = this.#slab;
    const transport = this.#transport;
    if (slab === undefined) return;
    if (transport === undefined) {
      if (this.#isDropped) this.#length = 0;
      return;
    }
    const bytes = slab.subarray(0, this.#length);
    this.#slab = undefined;
    this.#length = 0;
    this.#lastDataStream = NO_STREAM;
    if (transport.give !== undefined && bytes.length >= GIVEN_BYTES) {
      transport.give(bytes);
      this.#given.push(slab);
    } else if (transport.write(bytes) || transport.give !== undefined) {
      this.#slabs.giveBack(slab);
    }
    if (transport.pendingBytes === 0) this.owedAnswers = 0;
  }

  /** The transport has nothing left of what it was given. */
  flushed(): void {
    this.owedAnswers = 0;
    for (const slab of this.#given) this.#slabs.giveBack(slab);
    this.#given = [];
  }

  /** Nothing is sent any more. */
  drop(): void {
    if (this.#slab !== undefined) this.#slabs.giveBack(this.#slab);
    this.#slab = undefined;
    this.#length = 0;
    // The transport may read from them yet.
    this.#given = [];
    this.#transport = undefined;
    this.#isDropped = true;
  }

  /** Writes a frame's head, and makes room for its payload; returns where that begins. */
  #begin(type: number, flags: number, stream: number, length: number): number {
    const at = this.#room(FRAME_HEAD_BYTES + length);
    const slab = this.#slab;
    if (slab === undefined) return 0;
    this.#lastDataStream = NO_STREAM;
    slab[at] = length >> 16;
    slab[at + 1] = length >> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    this.#number(at + 5, stream);
    this.#length += FRAME_HEAD_BYTES + length;
    return at + FRAME_HEAD_BYTES;
  }

  #room(length: number): number {
    if (this.#length + length > SLAB_BYTES) this.flush();
    if (this.#slab === undefined) {
      this.#slab = this.#slabs.take();
      this.#onWritten();
    }
    return this.#length;
  }

  #number(at: number, value: number): void {
    const slab = this.#slab;
    if (slab === undefined) return;
    slab[at] = value >>> 24;
    slab[at + 1] = value >>> 16;
    slab[at + 2] = value >>> 8;
    slab[at + 3] = value;
  }
}
