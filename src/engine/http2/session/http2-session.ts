import type { Transport, TransportReceiver } from '../../transport/transport.ts';
import { FIRST_WINDOW_BYTES, MOST, PREFACE, SETTING } from '../frames/frame-format.ts';
import { FrameReader } from '../frames/frame-reader.ts';
import type { TurnTask } from '../frames/turn-end.ts';
import { HpackDecoder } from '../hpack/hpack-decoder.ts';
import { HpackEncoder } from '../hpack/hpack-encoder.ts';
import { CANCEL, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, NO_ERROR, REFUSED_STREAM } from '../http2-codes.ts';
import { FieldBlocks } from './field-blocks.ts';
import { FrameBudget } from './frame-budget.ts';
import { Http2Stream, type StreamReceiver, type StreamSession } from './http2-stream.ts';
import { type FieldsSession, IncomingFields } from './incoming-fields.ts';
import { PeerSettings } from './peer-settings.ts';
import { ReceiveWindow } from './receive-window.ts';
import { type InputSession, SessionInput } from './session-input.ts';
import { SessionOutput } from './session-output.ts';
import type { SessionOwner } from './session-owner.ts';
import type { SessionTerms } from './session-terms.ts';
import type { StoredBytes } from './stored-bytes.ts';
import { StreamTable } from './stream-table.ts';

/** Answers of frames that a peer may owe to read; a library that reads has few. */
const MOST_OWED_ANSWERS = 1000;
/** Beyond so much that the kernel does not take, nothing is read: each request may bring about more. */
const OVERFULL_BYTES = 512 * 1024;
/** What a peer may send on behind its end. */
const MOST_DISCARDED_BYTES = 256 * 1024;
const NO_DATA: Buffer = Buffer.alloc(8);

/**
 * One connection of HTTP/2 (RFC 9113), at either side. Whatever the peer sends ends a stream or the connection at worst, with the code that the
 * rules name, and costs bounded memory: windows for data, limits for fields, budgets for the rest. Receivers are told inside of `onBytes`,
 * `onFlushed` and `onTurnEnd` only, never inside of what they call.
 */
export class Http2Session implements TransportReceiver, StreamSession, InputSession, FieldsSession, TurnTask {
  readonly encoder: HpackEncoder;
  readonly budget: FrameBudget;
  readonly peer: PeerSettings;
  readonly streams: StreamTable;
  readonly stored: StoredBytes;
  readonly largestWindowBytes: number;
  /** Nothing is sent or read any more. */
  over = false;
  /** Bytes that have come, of whatever kind. */
  receivedBytes = 0;
  /** Monotonic time when the settings were sent that the peer has not taken; undefined when it has. */
  settingsSentAtMs: number | undefined;
  readonly #terms: SessionTerms;
  readonly #owner: SessionOwner;
  readonly #reader: FrameReader;
  readonly #output: SessionOutput;
  readonly #transport: Transport;
  readonly #window: ReceiveWindow;
  #unsettled: Http2Stream[] = [];
  #settling = false;
  #turnAwaited = false;
  #closesWhenFlushed = false;
  #discardedBytes = 0;
  #readingPaused = false;
  #gone = false;

  /** `open` begins to read; nothing comes before it returns. */
  constructor(terms: SessionTerms, owner: SessionOwner, open: (receiver: TransportReceiver) => Transport) {
    const { isServer } = terms;
    this.#terms = terms;
    this.#owner = owner;
    this.stored = terms.stored;
    this.largestWindowBytes = terms.largestWindowBytes;
    this.encoder = new HpackEncoder(terms.tableBytes);
    this.peer = new PeerSettings(isServer, (bytes) => this.encoder.resizeTable(bytes));
    this.budget = new FrameBudget(terms.nowMs);
    this.streams = new StreamTable(isServer);
    this.#window = new ReceiveWindow(terms.windowBytes, (bytes) => this.#output.frames.windowUpdate(0, bytes));
    this.settingsSentAtMs = terms.nowMs();
    const decoder = new HpackDecoder({ tableBytes: terms.tableBytes, listBytes: terms.listBytes, pairs: terms.pairs });
    this.#reader = new FrameReader(
      new SessionInput(this, new FieldBlocks(decoder, terms.listBytes, new IncomingFields(this, terms))),
      isServer,
    );
    this.#output = new SessionOutput(terms.slabs, () => this.#awaitTurn());
    this.#begin();
    this.#transport = open(this);
    this.#output.attach(this.#transport);
  }

  /** Bytes that the kernel has not taken. */
  get pendingBytes(): number {
    return this.#gone ? 0 : this.#output.frames.pendingBytes;
  }

  get takenBytes(): number {
    return this.#transport.takenBytes;
  }

  // What is done here.

  /** Begins a stream; undefined where there are no numbers left, or the connection is over. */
  open(receiver: StreamReceiver): Http2Stream | undefined {
    const number = this.over ? undefined : this.streams.takeNumber();
    if (number === undefined) return undefined;
    const stream = new Http2Stream(this, number, this.#terms.streamWindowBytes, this.peer.windowBytes, false);
    stream.receiver = receiver;
    this.streams.add(stream);
    return stream;
  }

  ping(): void {
    if (!this.over) this.#output.frames.ping(NO_DATA, 0, false);
  }

  /** Says that the connection will end, while streams that the peer begins are served yet (RFC 9113 §6.8). */
  announceEnd(): void {
    if (!this.over && this.streams.lastServed === MOST) this.#output.frames.goaway(MOST, NO_ERROR);
  }

  /** Serves no stream but those begun, and says so. */
  refuseFurther(): void {
    if (this.over || this.streams.lastServed !== MOST) return;
    this.streams.lastServed = this.streams.lastOfPeer;
    this.#output.frames.goaway(this.streams.lastServed, NO_ERROR);
  }

  /** No further stream is served. */
  get refusesFurther(): boolean {
    return this.over || this.streams.lastServed !== MOST;
  }

  /** Ends the connection behind what was written; what is under way is cut. */
  finish(code = NO_ERROR): void {
    if (this.over) return;
    const { lastServed, lastOfPeer } = this.streams;
    if (lastServed === MOST || code !== NO_ERROR) this.#output.frames.goaway(Math.min(lastServed, lastOfPeer), code);
    this.over = true;
    this.#reader.stop();
    this.#output.frames.flush();
    for (const stream of this.streams.all) this.#over(stream, 'connection', code);
    this.#transport.end();
    this.#resumeReading();
    this.#awaitTurn();
  }

  /** As `finish`, and does not wait for the peer's end. */
  finishNow(): void {
    this.finish();
    if (this.pendingBytes === 0) this.#transport.destroy();
    else this.#closesWhenFlushed = true;
  }

  /** Gives the connection up at once. */
  destroy(): void {
    this.finish();
    this.#transport.destroy();
  }

  // What comes.

  onBytes(bytes: Buffer, length: number): void {
    this.receivedBytes += length;
    if (this.over) this.#discard(length);
    else {
      this.#reader.read(bytes, length);
      this.settle();
      if (this.#output.frames.owedAnswers > MOST_OWED_ANSWERS) this.fail(ENHANCE_YOUR_CALM);
      if (!this.over && this.pendingBytes > OVERFULL_BYTES) this.#pauseReading();
    }
  }

  /** A peer that sends nothing more can do nothing with what it would get: windows are its to open. */
  onEnd(): void {
    this.finishNow();
  }

  onFlushed(): void {
    this.#output.frames.flushed();
    if (this.#closesWhenFlushed) {
      this.#transport.destroy();
      return;
    }
    this.#output.pump();
    this.#resumeReading();
    this.settle();
  }

  onClose(failure: string | undefined): void {
    this.over = true;
    this.#gone = true;
    this.#reader.stop();
    this.#output.frames.drop();
    for (const stream of this.streams.all) this.#over(stream, 'connection', CANCEL);
    this.settle();
    this.#owner.onGone(failure);
  }

  onTurnEnd(): void {
    this.#turnAwaited = false;
    this.settle();
    if (!this.#gone) this.#output.frames.flush();
  }

  settle(): void {
    if (this.#settling || this.#unsettled.length === 0) return;
    this.#settling = true;
    try {
      while (this.#unsettled.length > 0) {
        const streams = this.#unsettled;
        this.#unsettled = [];
        for (const stream of streams) stream.settle();
      }
    } finally {
      this.#settling = false;
    }
    if (this.streams.size === 0) this.#owner.onEmpty();
  }

  // What streams ask for.

  sendData(stream: Http2Stream, bytes: Buffer, start: number, end: number, ends: boolean, inTurn: boolean): number {
    const sent = this.#output.data(stream, bytes, start, end, ends, inTurn);
    if (sent > start) this.budget.sent(sent - start, sent === end);
    if (ends && sent === end) this.#localEnded(stream);
    return sent;
  }

  sendHead(stream: Http2Stream, block: Buffer, ends: boolean): void {
    this.#output.frames.headers(stream.id, block, ends);
    if (ends) this.#localEnded(stream);
  }

  sendEnd(stream: Http2Stream): void {
    const { frames } = this.#output;
    if (!frames.endWithLastData(stream.id)) frames.data(stream.id, NO_DATA, 0, 0, true);
    this.#localEnded(stream);
  }

  sendWindow(stream: Http2Stream, bytes: number): void {
    if (!this.over) this.#output.frames.windowUpdate(stream.id, bytes);
  }

  sendReset(stream: Http2Stream, code: number): void {
    this.#reset(stream.id, code);
    this.#over(stream, 'own', code);
  }

  waits(stream: Http2Stream): void {
    this.#output.wait(stream);
  }

  unsettled(stream: Http2Stream): void {
    this.#unsettled.push(stream);
    if (!this.#settling) this.#awaitTurn();
  }

  // What the rules find.

  fail(code: number): void {
    this.finish(code);
  }

  refuseStream(number: number, code: number): void {
    const stream = this.streams.get(number);
    this.#reset(number, code);
    if (stream !== undefined) this.#over(stream, 'own', code);
    else if (!this.#owner.onRefused()) this.fail(ENHANCE_YOUR_CALM);
  }

  endedByPeer(stream: Http2Stream, code: number): void {
    this.#over(stream, 'peer', code);
  }

  remoteEnded(stream: Http2Stream): void {
    if (stream.localEnded) this.#over(stream, 'order', NO_ERROR);
  }

  takeWindow(length: number): boolean {
    return this.#window.take(length);
  }

  growWindow(increment: number): boolean {
    const output = this.#output;
    if (output.window + increment > MOST) return false;
    output.window += increment;
    output.pump();
    return true;
  }

  onGrown(stream: Http2Stream): void {
    this.#output.wait(stream);
    this.#output.pump();
  }

  onSettings(bytes: Buffer, start: number, end: number): void {
    const { windowBytes } = this.peer;
    const code = this.peer.take(bytes, start, end);
    if (code !== NO_ERROR || !this.#changeWindows(this.peer.windowBytes - windowBytes)) {
      this.fail(code === NO_ERROR ? FLOW_CONTROL_ERROR : code);
      return;
    }
    this.#output.frames.settingsTaken();
    this.#output.pump();
    this.#owner.onSettings();
  }

  onSettingsTaken(): boolean {
    const wasSent = this.settingsSentAtMs !== undefined;
    this.settingsSentAtMs = undefined;
    return wasSent;
  }

  onPing(bytes: Buffer, start: number): void {
    this.#output.frames.ping(bytes, start, true);
    // Many of them may come in what is read at once.
    if (this.#output.frames.owedAnswers > MOST_OWED_ANSWERS) this.fail(ENHANCE_YOUR_CALM);
  }

  onPingAnswered(): void {
    this.#owner.onPingAnswered();
  }

  onGoaway(lastStream: number, code: number): void {
    for (const stream of this.streams.all) {
      if (this.streams.isOwn(stream.id) && stream.id > lastStream) this.#over(stream, 'peer', REFUSED_STREAM);
    }
    this.#owner.onGoaway(lastStream, code);
  }

  /** A request has come on a stream of its own. */
  accept(number: number, fields: readonly string[], endsHere: boolean): void {
    const stream = new Http2Stream(this, number, this.#terms.streamWindowBytes, this.peer.windowBytes, true);
    this.streams.add(stream);
    if (endsHere) stream.endedWithHead();
    stream.receiver = this.#owner.onStream(stream, fields, endsHere);
  }

  /** RFC 9113 §6.9.2: the windows of all streams change by as much; false where one would be too large. */
  #changeWindows(change: number): boolean {
    if (change === 0) return true;
    for (const stream of this.streams.all) {
      stream.sendWindow += change;
      if (stream.sendWindow > MOST) return false;
      this.#output.wait(stream);
    }
    return true;
  }

  #localEnded(stream: Http2Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.#over(stream, 'order', NO_ERROR);
  }

  #reset(number: number, code: number): void {
    if (this.over) return;
    this.streams.brokeOff(number);
    this.#output.frames.resetStream(number, code);
  }

  #over(stream: Http2Stream, endedBy: Http2Stream['endedBy'], code: number): void {
    if (!this.streams.delete(stream)) return;
    this.#output.leave(stream);
    stream.close(endedBy, code);
  }

  /** Our settings, and how much may come on all streams together; a client's preface in front. */
  #begin(): void {
    const { isServer, tableBytes, listBytes, streams, streamWindowBytes, windowBytes } = this.#terms;
    const { frames } = this.#output;
    if (!isServer) frames.raw(PREFACE);
    const pairs: (readonly [number, number])[] = [
      [SETTING.headerTableSize, tableBytes],
      [SETTING.initialWindowSize, streamWindowBytes],
      [SETTING.maxHeaderListSize, listBytes],
    ];
    if (isServer) pairs.push([SETTING.maxConcurrentStreams, streams], [SETTING.enableConnectProtocol, 1]);
    else pairs.push([SETTING.enablePush, 0]);
    frames.settings(pairs);
    frames.windowUpdate(0, windowBytes - FIRST_WINDOW_BYTES);
  }

  #awaitTurn(): void {
    if (this.#turnAwaited) return;
    this.#turnAwaited = true;
    this.#terms.turnEnd.add(this);
  }

  #discard(length: number): void {
    this.#discardedBytes += length;
    if (this.#discardedBytes > MOST_DISCARDED_BYTES) this.#transport.destroy();
  }

  #pauseReading(): void {
    this.#readingPaused = true;
    this.#transport.pause();
  }

  #resumeReading(): void {
    if (!this.#readingPaused) return;
    this.#readingPaused = false;
    this.#transport.resume();
  }
}
