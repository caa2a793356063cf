import { ByteWriter } from '../../lib/byte-writer.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan } from '../exchange.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { isDroppedTrailer, isRefusedTrailer } from '../parser/trailer-fields.ts';
import type { Transport } from '../transport/transport.ts';
import { appendChunk, appendLastChunk } from '../writer/body-writer.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import { appendRequestHead } from '../writer/request-head-writer.ts';
import { RequestBuffer } from './request-buffer.ts';

/** Room for what the head gets beyond the client's bytes; a head that needs more moves to a buffer of its own. */
const ROOM_BYTES = 512;
const SMALLEST_BYTES = 4096;

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
  #hostOffset = 0;
  #hostLength = 0;
  #hostValue: Buffer | undefined = undefined;
  /** All that was taken from the client is in the first piece. */
  replayable = false;

  constructor(context: EngineContext, body: BodyReader) {
    this.#context = context;
    this.#body = body;
  }

  /** Prepares the first piece; returns the offset behind the bytes taken of `bytes[start, end)`, or -1 for a malformed body. */
  begin(plan: ForwardPlan, head: RequestParser, upgradeLines: Buffer, bytes: Buffer, start: number, end: number): number {
    const first = this.#first;
    const isLarge = RequestBuffer.isLarge(head.headLength + end - start + ROOM_BYTES);
    const buffer = isLarge ? this.#context.largeRequestBuffers.take() : this.#context.requestBuffers.take();
    this.#buffer = buffer;
    first.bytes = buffer.bytes;
    first.start = 0;
    first.position = 0;
    this.#plan = plan;
    this.#firstPending = false;
    this.replayable = true;
    this.#hostOffset = appendRequestHead(first, head, plan, upgradeLines);
    this.#hostValue = plan.hostValue;
    this.#hostLength = plan.hostValue?.length ?? head.hostEnd - head.hostStart;
    const position = this.#body.done ? start : this.#appendBody(first, bytes, start, end);
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
  }

  /** Sends more of the body; returns as `begin` does. Nothing is sent of what is malformed. */
  sendBody(transport: Transport, bytes: Buffer, start: number, end: number): number {
    const output = this.#context.output;
    output.begin(end - start + 64);
    const position = this.#appendBody(output, bytes, start, end);
    this.replayable = false;
    if (position === -1) output.discard();
    else output.send(transport);
    return position;
  }

  /** Lets the first piece go: the request is not sent again. */
  release(): void {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    this.#first.bytes = EMPTY_BYTES;
    this.#first.position = 0;
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
      if (event === BODY.failed) return -1;
      if (event === BODY.done) return this.#appendEnd(writer) ? position : -1;
      if (body.kind === 'chunked') appendChunk(writer, bytes, body.dataStart, body.dataEnd);
      else writer.append(bytes, body.dataStart, body.dataEnd);
    }
  }

  #appendEnd(writer: ByteWriter): boolean {
    const chunked = this.#body.chunked;
    if (chunked === undefined) return true;
    const trailers = chunked.trailers;
    for (let index = 0; trailers !== undefined && index < trailers.count; index++) {
      if (isRefusedTrailer(chunked.trailerBytes, trailers.nameStart(index), trailers.nameEnd(index))) return false;
    }
    appendLastChunk(writer, chunked, (name, start, end) => this.#leavesOut(name, start, end));
    return true;
  }

  #leavesOut(bytes: Buffer, nameStart: number, nameEnd: number): boolean {
    return isDroppedTrailer(bytes, nameStart, nameEnd) || this.#plan?.isForbiddenTrailer(bytes, nameStart, nameEnd) === true;
  }
}
