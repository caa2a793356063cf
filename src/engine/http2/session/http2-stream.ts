import type { HpackEncoder } from '../hpack/hpack-encoder.ts';
import { NO_ERROR } from '../http2-codes.ts';
import { ByteStore } from './byte-store.ts';
import type { StoredBytes } from './stored-bytes.ts';

/** Who reads one stream. Nothing is called after `onClosed`, and nothing inside a call to the stream. */
export interface StreamReceiver {
  /** A head of an answer, an interim one too: name and value in turn. Only for streams begun here. */
  onHead(fields: readonly string[], endsHere: boolean): void;
  /** `bytes[start, end)` came; they are anybody's again after the call. */
  onData(bytes: Buffer, start: number, end: number): void;
  /** The peer has ended its side behind a head, with these trailer fields, name and value in turn. */
  onEnd(trailers: readonly string[]): void;
  /** What was written is on its way, after a `write` that returned false. */
  onDrained(): void;
  /** The stream is over; how is told by `code` and `endedBy`. */
  onClosed(): void;
}

/** What streams need of their connection. */
export interface StreamSession {
  readonly encoder: HpackEncoder;
  readonly stored: StoredBytes;
  readonly largestWindowBytes: number;
  /** Writes what of `bytes[start, end)` may go now, unless others were first and it is not in turn; returns where the rest begins. */
  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number, ends: boolean, inTurn: boolean): number;
  sendHead(stream: Http2Stream, block: Buffer, ends: boolean): void;
  sendEnd(stream: Http2Stream): void;
  /** Gives the peer room for as many bytes more. */
  sendWindow(stream: Http2Stream, bytes: number): void;
  sendReset(stream: Http2Stream, code: number): void;
  /** There is something to be sent when windows allow. */
  waits(stream: Http2Stream): void;
  /** There is something to be told to the receiver. */
  unsettled(stream: Http2Stream): void;
}

/** Longest piece that is told at once. */
const PIECE_BYTES = 16_384;
const NO_FIELDS: readonly string[] = [];
/** Hears nothing. */
export const NO_RECEIVER: StreamReceiver = { onHead: () => {}, onData: () => {}, onEnd: () => {}, onDrained: () => {}, onClosed: () => {} };

/** How a stream has ended: in order, by a reset of either side, or with its connection. */
export type StreamEnd = 'order' | 'peer' | 'own' | 'connection';

/**
 * One stream (RFC 9113 §5): what is to be sent waits here until the windows allow it, and what has come until its receiver wants it, which is never
 * more than the window that the peer was given.
 */
export class Http2Stream {
  readonly id: number;
  receiver: StreamReceiver = NO_RECEIVER;
  /** Bytes that the peer takes; below 0 after it has changed its mind (RFC 9113 §6.9.2). */
  sendWindow: number;
  /** Bytes that the peer may send. */
  receiveWindow: number;
  /** END_STREAM is written. */
  localEnded = false;
  /** END_STREAM has come. */
  remoteEnded = false;
  /** The final head of an answer has come, or it is a request's. */
  headCame: boolean;
  /** Nothing goes on on it. */
  closed = false;
  endedBy: StreamEnd = 'order';
  /** The error code of the reset that ended it, or of the connection's. */
  code = NO_ERROR;
  readonly #session: StreamSession;
  readonly #firstWindowBytes: number;
  #windowBytes: number;
  /** So much has waited for the reader that a larger window would be of no use. */
  #lagged = false;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #endAsked = false;
  #trailers: readonly string[] = NO_FIELDS;
  #store: ByteStore | undefined = undefined;
  #paused = false;
  /** Bytes taken for which the peer has got no room again. */
  #owedBytes = 0;
  #cameTrailers: readonly string[] = NO_FIELDS;
  #endTold = false;
  #closeTold = false;

  /** `windowBytes`: how much the peer may send at first. */
  constructor(session: StreamSession, id: number, windowBytes: number, sendWindow: number, headCame: boolean) {
    this.#session = session;
    this.id = id;
    this.#firstWindowBytes = windowBytes;
    this.#windowBytes = windowBytes;
    this.receiveWindow = windowBytes;
    this.sendWindow = sendWindow;
    this.headCame = headCame;
  }

  /** Bytes written that wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes that have come and that the receiver has not taken. */
  get keptBytes(): number {
    return this.#store?.length ?? 0;
  }

  /** Nothing more can be written. */
  get ending(): boolean {
    return this.localEnded || this.#endAsked;
  }

  /** There is something that may go as soon as the windows allow. */
  get wantsTurn(): boolean {
    return this.#queuedBytes > 0 && this.sendWindow > 0;
  }

  /** Everything of the peer's was told. */
  get endTold(): boolean {
    return this.#endTold;
  }

  // What is sent.

  /**
   * Begins a head: its fields are written to what is returned, and `sendHead` follows in the same step, for a block that is left out would
   * leave the peer with another table than ours. Undefined where nothing can be sent.
   */
  beginHead(): HpackEncoder | undefined {
    if (this.closed || this.ending) return undefined;
    const { encoder } = this.#session;
    encoder.begin();
    return encoder;
  }

  /** Sends the fields that were written since `beginHead`. */
  sendHead(ends: boolean): void {
    this.#session.sendHead(this, this.#session.encoder.end(), ends);
  }

  /**
   * Sends `bytes[start, end)`, with `ends` as the last ones. True: they may be used again. False: they are the stream's for good, and
   * `onDrained` follows unless the stream closes before.
   */
  write(bytes: Buffer, start: number, end: number, ends = false): boolean {
    if (this.closed || this.ending) return true;
    const sent = this.#queuedBytes > 0 ? start : this.#session.sendData(this, bytes, start, end, ends, false);
    if (sent === end) return true;
    this.#queue.push(bytes.subarray(sent, end));
    this.#queuedBytes += end - sent;
    this.#session.stored.add(end - sent);
    this.#endAsked = ends;
    this.#session.waits(this);
    return false;
  }

  /** Ends this side behind what was written, with trailer fields where there are any. */
  end(trailers: readonly string[] = NO_FIELDS): void {
    if (this.closed || this.ending) return;
    this.#trailers = trailers;
    this.#endAsked = true;
    if (this.#queuedBytes === 0) this.#finish();
  }

  /** Ends it, also where it is over and has something to tell yet: nothing but its end is told any more. */
  reset(code: number): void {
    if (!this.closed) this.#session.sendReset(this, code);
    else if (!this.#closeTold) {
      this.endedBy = 'own';
      this.#session.unsettled(this);
    }
  }

  /** Sends one frame's worth of what waits; to be called when it may go. */
  sendNext(): void {
    const piece = this.#queue[0];
    if (piece === undefined) return;
    const isLast = this.#endAsked && this.#trailers.length === 0 && this.#queue.length === 1;
    const sent = this.#session.sendData(this, piece, 0, piece.length, isLast, true);
    if (this.closed) {
      this.receiver.onDrained();
      return;
    }
    this.#queuedBytes -= sent;
    this.#session.stored.giveBack(sent);
    if (sent < piece.length) {
      this.#queue[0] = piece.subarray(sent);
      return;
    }
    this.#queue.shift();
    if (this.#queuedBytes > 0) return;
    if (this.#endAsked && !this.localEnded) this.#finish();
    this.receiver.onDrained();
  }

  #finish(): void {
    if (this.#trailers.length === 0) {
      this.#session.sendEnd(this);
      return;
    }
    const { encoder } = this.#session;
    const trailers = this.#trailers;
    encoder.begin();
    for (let index = 0; index < trailers.length; index += 2) encoder.write(trailers[index] ?? '', trailers[index + 1] ?? '');
    this.#session.sendHead(this, encoder.end(), true);
  }

  // What comes.

  pause(): void {
    this.#paused = true;
  }

  /** What waits is told soon, never inside of this call. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#session.unsettled(this);
  }

  /** For the connection alone: the request was its head, as its receiver knows. */
  endedWithHead(): void {
    this.remoteEnded = true;
    this.#endTold = true;
  }

  /** For the connection alone: a head has come. */
  takeHead(fields: readonly string[], endsHere: boolean): void {
    this.receiver.onHead(fields, endsHere);
  }

  /** For the connection alone: data has come, for which there was room. */
  takeData(bytes: Buffer, start: number, end: number): void {
    if (this.closed) return;
    if (this.#paused || (this.#store !== undefined && this.#store.length > 0)) {
      this.#store ??= new ByteStore();
      this.#store.add(bytes, start, end);
      this.#session.stored.add(end - start);
      if (this.#store.length * 2 > this.#windowBytes) this.#lagged = true;
      return;
    }
    this.receiver.onData(bytes, start, end);
    this.consumed(end - start);
  }

  /** For the connection alone: the end has come. */
  takeEnd(trailers: readonly string[]): void {
    this.remoteEnded = true;
    this.#cameTrailers = trailers;
    this.#tell();
  }

  /** Bytes need no room any more. */
  consumed(bytes: number): void {
    this.#owedBytes += bytes;
    this.#giveRoom();
  }

  /** For the connection alone: tells the receiver what it may be told now. */
  settle(): void {
    this.#tell();
    this.#giveRoom();
    if (!this.closed || this.#closeTold || this.#holdsMore()) return;
    this.#closeTold = true;
    this.#dropStore();
    this.receiver.onClosed();
  }

  /** For the connection alone: nothing goes on on it. */
  close(endedBy: StreamEnd, code: number): void {
    this.closed = true;
    this.endedBy = endedBy;
    this.code = code;
    this.#queue = [];
    this.#session.stored.giveBack(this.#queuedBytes);
    this.#queuedBytes = 0;
    if (!this.#mayTell()) this.#dropStore();
    this.#session.unsettled(this);
  }

  #dropStore(): void {
    this.#session.stored.giveBack(this.#store?.length ?? 0);
    this.#store = undefined;
  }

  #tell(): void {
    const store = this.#store;
    while (store !== undefined && store.length > 0 && !this.#paused && this.#mayTell()) {
      const piece = store.take(PIECE_BYTES);
      this.#session.stored.giveBack(piece.length);
      this.receiver.onData(piece, 0, piece.length);
      this.#owedBytes += piece.length;
    }
    if (this.#paused || !this.remoteEnded || this.#endTold || (store?.length ?? 0) > 0 || !this.#mayTell()) return;
    this.#endTold = true;
    this.receiver.onEnd(this.#cameTrailers);
  }

  /** What came is told, also when the peer has given up what it still was to get (RFC 9113 §8.1). */
  #mayTell(): boolean {
    return !this.closed || (this.code === NO_ERROR && (this.endedBy === 'order' || this.endedBy === 'peer'));
  }

  /** Something is to be told before the end. */
  #holdsMore(): boolean {
    const waits = (this.#store?.length ?? 0) > 0 || (this.remoteEnded && !this.#endTold);
    return waits && this.#mayTell();
  }

  #giveRoom(): void {
    if (this.#owedBytes * 2 < this.#windowBytes || this.#paused || this.remoteEnded || this.closed) return;
    // One that keeps nothing always gets room, so that whoever gets on goes on.
    if (this.#session.stored.isFull && (this.#store?.length ?? 0) > 0) return;
    const windowBytes = this.#nextWindowBytes();
    // At least half of the window is owed, and it falls by no more.
    const bytes = this.#owedBytes + windowBytes - this.#windowBytes;
    this.#windowBytes = windowBytes;
    this.#owedBytes = 0;
    if (bytes <= 0) return;
    this.receiveWindow += bytes;
    this.#session.sendWindow(this, bytes);
  }

  /** It doubles while the reader keeps up, and falls by half to what it was at first when not, or when too much is kept. */
  #nextWindowBytes(): number {
    const lagged = this.#lagged;
    this.#lagged = false;
    if (lagged || this.#session.stored.isFull) return Math.max(this.#firstWindowBytes, Math.ceil(this.#windowBytes / 2));
    return Math.max(this.#firstWindowBytes, Math.min(this.#session.largestWindowBytes, this.#windowBytes * 2));
  }
}
