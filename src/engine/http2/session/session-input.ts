import { FLAG, FRAME, MOST, SETTING_BYTES, uint32At } from '../frames/frame-format.ts';
import type { FrameHandler } from '../frames/frame-reader.ts';
import { ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, NO_ERROR, PROTOCOL_ERROR, STREAM_CLOSED } from '../http2-codes.ts';
import type { FieldBlocks } from './field-blocks.ts';
import type { FrameBudget } from './frame-budget.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { StreamTable } from './stream-table.ts';

/** Settings that one frame may have: each is looked at, and there are eight. */
const MOST_SETTINGS = 32;
/** What a frame that carries something may bring about of such as carry nothing. */
const EARNED = 4;

/** What the rules about frames need of their connection. */
export interface InputSession {
  readonly budget: FrameBudget;
  readonly streams: StreamTable;
  /** The connection is over for this reason. */
  fail(code: number): void;
  /** A stream is over for this reason, whether or not it is one; the peer is at fault. */
  refuseStream(number: number, code: number): void;
  endedByPeer(stream: Http2Stream, code: number): void;
  /** The peer has ended its side of the stream. */
  remoteEnded(stream: Http2Stream): void;
  /** Takes `length` bytes from the connection's window, and gives room for them again; false where there was none. */
  takeWindow(length: number): boolean;
  growWindow(increment: number): boolean;
  onSettings(bytes: Buffer, start: number, end: number): void;
  /** The peer has taken ours; false where there are none that it could mean. */
  onSettingsTaken(): boolean;
  onPing(bytes: Buffer, start: number): void;
  onPingAnswered(): void;
  onGoaway(lastStream: number, code: number): void;
  onGrown(stream: Http2Stream): void;
  /** Tells receivers what has become of their streams. */
  settle(): void;
}

/** Applies the rules of RFC 9113 to the frames that come: which may come where, of which length, and what an offence ends. */
export class SessionInput implements FrameHandler {
  readonly #session: InputSession;
  readonly #blocks: FieldBlocks;
  #begun = false;
  /** Whose DATA frame is being read; undefined where it goes nowhere. */
  #current: Http2Stream | undefined = undefined;
  #dataBytes = 0;

  constructor(session: InputSession, blocks: FieldBlocks) {
    this.#session = session;
    this.#blocks = blocks;
  }

  onFrameBegins(type: number, flags: number, stream: number, length: number): void {
    const code = this.#begun ? this.#problemOf(type, flags, stream, length) : firstProblem(type, flags, stream, length);
    this.#begun = true;
    if (code !== NO_ERROR) this.#session.fail(code);
  }

  onBroken(problem: 'preface' | 'frame-size' | 'padding'): void {
    this.#session.fail(problem === 'frame-size' ? FRAME_SIZE_ERROR : PROTOCOL_ERROR);
  }

  onData(number: number, length: number, padding: number): void {
    const session = this.#session;
    this.#current = undefined;
    this.#dataBytes = length - padding;
    if (!session.takeWindow(length)) {
      session.fail(FLOW_CONTROL_ERROR);
      return;
    }
    const stream = session.streams.get(number);
    if (stream === undefined) this.#strayData(number);
    else if (stream.remoteEnded) session.refuseStream(number, STREAM_CLOSED);
    else if (!stream.headCame) session.refuseStream(number, PROTOCOL_ERROR);
    else if (length > stream.receiveWindow) session.refuseStream(number, FLOW_CONTROL_ERROR);
    else {
      stream.receiveWindow -= length;
      if (padding > 0) stream.consumed(padding);
      this.#current = stream;
    }
  }

  onDataPiece(bytes: Buffer, start: number, end: number): void {
    this.#current?.takeData(bytes, start, end);
  }

  onDataEnds(flags: number): void {
    const stream = this.#current;
    const ends = (flags & FLAG.endStream) !== 0;
    this.#current = undefined;
    if (this.#dataBytes > 0) this.#session.budget.earn(EARNED);
    else if (!ends) this.#spend();
    if (ends && stream !== undefined && !stream.closed) {
      stream.takeEnd([]);
      this.#session.remoteEnded(stream);
    }
    this.#session.settle();
  }

  onFrame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME.headers:
      case FRAME.continuation:
        this.#blocks.take(type, flags, stream, bytes, start, end);
        break;
      case FRAME.settings:
        if (this.#spend()) this.#takeSettings(flags, bytes, start, end);
        break;
      case FRAME.ping:
        if (this.#spend()) this.#takePing(flags, bytes, start);
        break;
      case FRAME.rstStream:
        this.#takeReset(stream, uint32At(bytes, start));
        break;
      case FRAME.windowUpdate:
        if (this.#spend()) this.#takeIncrement(stream, uint32At(bytes, start) % 0x8000_0000);
        break;
      case FRAME.goaway:
        if (this.#spend()) this.#session.onGoaway(uint32At(bytes, start) % 0x8000_0000, uint32At(bytes, start + 4));
        break;
      case FRAME.priority:
        // A stream does not depend on another here (RFC 9113 §5.3.2).
        if (this.#spend() && end - start !== 5) this.#session.refuseStream(stream, FRAME_SIZE_ERROR);
        break;
      default:
        // RFC 9113 §4.1: what nobody knows is left out.
        this.#spend();
    }
    this.#session.settle();
  }

  /** The error of the connection that a frame's head is; NO_ERROR for none. */
  #problemOf(type: number, flags: number, stream: number, length: number): number {
    if (this.#blocks.isOpen ? !this.#blocks.expects(type, stream) : type === FRAME.continuation) return PROTOCOL_ERROR;
    switch (type) {
      case FRAME.data:
      case FRAME.headers:
        return stream === 0 ? PROTOCOL_ERROR : NO_ERROR;
      case FRAME.priority:
        if (stream === 0) return PROTOCOL_ERROR;
        return length !== 5 && this.#session.streams.get(stream) === undefined ? FRAME_SIZE_ERROR : NO_ERROR;
      case FRAME.rstStream:
        if (length !== 4) return FRAME_SIZE_ERROR;
        return stream === 0 || this.#isIdle(stream) ? PROTOCOL_ERROR : NO_ERROR;
      case FRAME.settings:
        return settingsProblem(flags, stream, length);
      case FRAME.pushPromise:
        return PROTOCOL_ERROR;
      case FRAME.ping:
        return stream !== 0 ? PROTOCOL_ERROR : length !== 8 ? FRAME_SIZE_ERROR : NO_ERROR;
      case FRAME.goaway:
        return stream !== 0 ? PROTOCOL_ERROR : length < 8 ? FRAME_SIZE_ERROR : NO_ERROR;
      case FRAME.windowUpdate:
        if (length !== 4) return FRAME_SIZE_ERROR;
        return stream !== 0 && this.#isIdle(stream) ? PROTOCOL_ERROR : NO_ERROR;
      default:
        return NO_ERROR;
    }
  }

  #isIdle(number: number): boolean {
    return this.#session.streams.get(number) === undefined && this.#session.streams.place(number) === 'idle';
  }

  /** One frame that carries nothing; false, and the connection is over, when there were too many. */
  #spend(): boolean {
    const session = this.#session;
    if (session.budget.spend()) return true;
    session.fail(ENHANCE_YOUR_CALM);
    return false;
  }

  #strayData(number: number): void {
    const place = this.#session.streams.place(number);
    if (place === 'idle') this.#session.fail(PROTOCOL_ERROR);
    else if (place === 'past') this.#spend();
    else this.#session.refuseStream(number, STREAM_CLOSED);
  }

  #takeSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & FLAG.ack) === 0) this.#session.onSettings(bytes, start, end);
    else if (!this.#session.onSettingsTaken()) this.#session.fail(PROTOCOL_ERROR);
  }

  #takePing(flags: number, bytes: Buffer, start: number): void {
    if ((flags & FLAG.ack) === 0) this.#session.onPing(bytes, start);
    else this.#session.onPingAnswered();
  }

  #takeReset(number: number, code: number): void {
    const stream = this.#session.streams.get(number);
    if (stream === undefined) this.#spend();
    else this.#session.endedByPeer(stream, code);
  }

  #takeIncrement(number: number, increment: number): void {
    const session = this.#session;
    if (number === 0) {
      if (increment === 0) session.fail(PROTOCOL_ERROR);
      else if (!session.growWindow(increment)) session.fail(FLOW_CONTROL_ERROR);
      return;
    }
    const stream = session.streams.get(number);
    if (stream === undefined) return;
    if (increment === 0) session.refuseStream(number, PROTOCOL_ERROR);
    else if (stream.sendWindow + increment > MOST) session.refuseStream(number, FLOW_CONTROL_ERROR);
    else {
      stream.sendWindow += increment;
      session.onGrown(stream);
    }
  }
}

/** Each side begins with its settings (RFC 9113 §3.4). */
function firstProblem(type: number, flags: number, stream: number, length: number): number {
  return type !== FRAME.settings || (flags & FLAG.ack) !== 0 ? PROTOCOL_ERROR : settingsProblem(flags, stream, length);
}

function settingsProblem(flags: number, stream: number, length: number): number {
  if (stream !== 0) return PROTOCOL_ERROR;
  if ((flags & FLAG.ack) !== 0) return length === 0 ? NO_ERROR : FRAME_SIZE_ERROR;
  if (length % SETTING_BYTES !== 0) return FRAME_SIZE_ERROR;
  return length > MOST_SETTINGS * SETTING_BYTES ? ENHANCE_YOUR_CALM : NO_ERROR;
}
