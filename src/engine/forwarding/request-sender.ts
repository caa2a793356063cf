import { ByteWriter } from '../../lib/byte-writer.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan } from '../exchange.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { hasRefusedTrailer, isDroppedTrailer } from '../parser/trailer-fields.ts';
import type { Transport } from '../transport/transport.ts';
import { appendChunk, appendLastChunk } from '../writer/body-writer.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { appendRequestHead } from '../writer/request-head-writer.ts';
import type { GivenBody } from './given-body.ts';
import { RequestBuffer } from './request-buffer.ts';

/** Room for what the head gets beyond the client's bytes; a head that needs more moves to a buffer of its own. */
const ROOM_BYTES = 512;
const SMALLEST_BYTES = 4096;
/** A whole body up to this length goes with its head; a longer one is sent from where it lies. */
const COPIED_BYTES = 16 * 1024;

/** What `begin` and `sendBody` return instead of an offset. */
export const UNSENDABLE = {
  /** The body is malformed. */
  malformed: -1,
  /** It is longer than the plan allows. */
  tooLarge: -2,
} as const;

/**
 * Puts a request for an upstream together: the head with what had arrived of the body as one piece, which is kept until the
 * upstream has answered so that it can be sent again, then the rest of the body as it comes.
 */
export class RequestSender {
  readonly #context: EngineContext;
  readonly #body: BodyReader;
  readonly #first = new ByteWriter(EMPTY_BYTES, SMALLEST_BYTES);
  /** What the first piece lies in; undefined once it has outgrown it. */
  #buffer: RequestBuffer | undefined = undefined;
  #plan: ForwardPlan | undefined = undefined;
  /** A transport may still read the first piece, so its buffer is not reused. */
  #firstPending = false;
  /** What goes behind the first piece each time. */
  #behind: Buffer | undefined = undefined;
  /** Bytes of a chunked body that were put together. */
  #chunkedBytes = 0;
  #hostOffset = 0;
  #hostLength = 0;
  #hostValue: Buffer | undefined = undefined;
  /** All that was taken from the client is in the first piece. */
  replayable = false;

  constructor(context: EngineContext, body: BodyReader) {
    this.#context = context;
    this.#body = body;
  }

  /**
   * Prepares the first piece; returns the offset behind the bytes taken of `bytes[start, end)`, or one of `UNSENDABLE`. Of the client's
   * body nothing is read where `given` is the whole one.
   */
  begin(
    plan: ForwardPlan,
    head: RequestParser,
    upgradeLines: Buffer,
    given: GivenBody | undefined,
    bytes: Buffer,
    start: number,
    end: number,
  ): number {
    const first = this.#first;
    const bodyBytes = given === undefined ? end - start : given.bytes.length > COPIED_BYTES ? 0 : given.bytes.length;
    const isLarge = RequestBuffer.isLarge(head.headLength + bodyBytes + ROOM_BYTES);
    const buffer = isLarge ? this.#context.largeRequestBuffers.take() : this.#context.requestBuffers.take();
    this.#buffer = buffer;
    first.bytes = buffer.bytes;
    first.start = 0;
    first.position = 0;
    this.#plan = plan;
    this.#firstPending = false;
    this.replayable = true;
    this.#chunkedBytes = 0;
    this.#hostOffset = appendRequestHead(first, head, plan, upgradeLines, given?.whole === true ? given.bytes.length : -1);
    this.#hostValue = plan.hostValue;
    this.#hostLength = plan.hostValue?.length ?? head.hostEnd - head.hostStart;
    const unread = given === undefined ? !this.#body.done : this.#appendGiven(first, given);
    const position = unread ? this.#appendBody(first, bytes, start, end) : start;
    this.#noteGrowth();
    return position;
  }

  /** Takes the Host over that the plan has for the target it chose last. */
  renewHost(): void {
    const value = this.#plan?.hostValue;
    if (value === undefined || value === this.#hostValue) return;
    if (this.#firstPending) this.#leaveBuffer();
    this.#first.replace(this.#hostOffset, this.#hostLength, value);
    this.#noteGrowth();
    this.#hostValue = value;
    this.#hostLength = value.length;
  }

  /** Sends the first piece, now or again. */
  sendFirst(transport: Transport): void {
    const { bytes, position } = this.#first;
    if (!transport.write(this.#buffer?.view(position) ?? bytes.subarray(0, position))) this.#firstPending = true;
    if (this.#behind !== undefined) transport.write(this.#behind);
  }

  /** Sends more of the body; returns as `begin` does. Nothing is sent of what is malformed. */
  sendBody(transport: Transport, bytes: Buffer, start: number, end: number): number {
    const output = this.#context.output;
    output.begin(end - start + 64);
    const position = this.#appendBody(output, bytes, start, end);
    // Without this piece the first one is of no use to anybody else.
    this.release();
    if (position < 0) output.discard();
    else output.send(transport);
    return position;
  }

  /** Lets the first piece go: the request is not sent again. */
  release(): void {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    this.#first.bytes = EMPTY_BYTES;
    this.#first.position = 0;
    this.#behind = undefined;
    this.replayable = false;
    if (buffer !== undefined && !this.#firstPending) this.#giveBack(buffer);
  }

  end(): void {
    this.release();
    this.#plan = undefined;
  }

  /** Goes on in a copy, for a transport still reads the buffer. */
  #leaveBuffer(): void {
    this.#first.bytes = Buffer.from(this.#first.bytes);
    this.#buffer = undefined;
    this.#firstPending = false;
  }

  /** The first piece may have moved to a buffer of its own. */
  #noteGrowth(): void {
    const buffer = this.#buffer;
    if (buffer === undefined || buffer.bytes === this.#first.bytes) return;
    this.#buffer = undefined;
    this.#giveBack(buffer);
  }

  #giveBack(buffer: RequestBuffer): void {
    if (buffer.isLarge) this.#context.largeRequestBuffers.giveBack(buffer);
    else this.#context.requestBuffers.giveBack(buffer);
  }

  #appendBody(writer: ByteWriter, bytes: Buffer, start: number, end: number): number {
    const body = this.#body;
    let position = start;
    for (;;) {
      const event = body.next(bytes, position, end);
      position = body.position;
      if (event === BODY.more) return position;
      if (event === BODY.failed) return UNSENDABLE.malformed;
      if (event === BODY.done) return this.#appendEnd(writer) ? position : UNSENDABLE.malformed;
      if (body.kind === 'chunked') {
        this.#chunkedBytes += body.dataEnd - body.dataStart;
        if (this.#plan === undefined || this.#chunkedBytes > this.#plan.maxBodyBytes) return UNSENDABLE.tooLarge;
        appendChunk(writer, bytes, body.dataStart, body.dataEnd);
      } else {
        writer.append(bytes, body.dataStart, body.dataEnd);
      }
    }
  }

  /** Whether the client's body goes on behind it. */
  #appendGiven(writer: ByteWriter, given: GivenBody): boolean {
    const { bytes, whole } = given;
    if (whole && bytes.length > COPIED_BYTES) {
      this.#behind = bytes;
    } else if (whole || this.#body.kind === 'length') {
      writer.appendAll(bytes);
    } else if (bytes.length > 0) {
      this.#chunkedBytes += bytes.length;
      appendChunk(writer, bytes, 0, bytes.length);
    }
    return !whole;
  }

  #appendEnd(writer: ByteWriter): boolean {
    const chunked = this.#body.chunked;
    if (chunked === undefined) return true;
    if (hasRefusedTrailer(chunked)) return false;
    appendLastChunk(writer, chunked, (name, start, end) => this.#leavesOut(name, start, end));
    return true;
  }

  #leavesOut(bytes: Buffer, nameStart: number, nameEnd: number): boolean {
    return isDroppedTrailer(bytes, nameStart, nameEnd) || this.#plan?.isForbiddenTrailer(bytes, nameStart, nameEnd) === true;
  }
}
