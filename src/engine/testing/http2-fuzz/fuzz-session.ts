import type { Socket } from 'node:net';
import { HpackDecoder } from '../../http2/hpack/hpack-decoder.ts';
import { HpackEncoder } from '../../http2/hpack/hpack-encoder.ts';
import { HPACK } from '../../http2/hpack/hpack-outcome.ts';
import { type Field, readBlock, writeBlock } from '../hpack-reading.ts';
import { FLAG, FRAME, type Frame, frameBytes } from '../http2-frames.ts';
import type { FuzzCall } from './fuzz-call.ts';
import { FuzzStream } from './fuzz-stream.ts';
import { TableWatch } from './table-watch.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const HEAD_BYTES = 9;
const FIRST_WINDOW_BYTES = 65_535;
const MOST_WINDOW_BYTES = 2 ** 31 - 1;
const MOST_PAYLOAD_BYTES = 16_384;
/** The largest table that the client offers at any time. */
const TABLE_BYTES = 65_536;
const HEADER_TABLE_SIZE = 1;
const INITIAL_WINDOW_SIZE = 4;

/** Settings that the gateway has not acknowledged. */
interface PendingSettings {
  readonly windowChange: number;
  readonly tableBytes: readonly number[];
  /** Streams from this number on were begun behind them. */
  readonly nextId: number;
}

/**
 * A client's side of a connection that checks everything that the gateway sends: order of frames, windows, whose answer it is. What is wrong
 * goes to `onProblem`. It sends whatever it is told to.
 */
export class FuzzSession {
  readonly socket: Socket;
  readonly streams = new Map<number, FuzzStream>();
  sendWindow = FIRST_WINDOW_BYTES;
  receiveWindow = FIRST_WINDOW_BYTES;
  /** The code of the GOAWAY that ended the connection; undefined where there was none, or a notice only. */
  goawayCode: number | undefined = undefined;
  closed = false;
  nextId = 1;
  readonly #onProblem: (text: string) => void;
  readonly #encoder = new HpackEncoder(4096);
  readonly #decoder = new HpackDecoder({ tableBytes: TABLE_BYTES, listBytes: 100_000, pairs: 300 });
  readonly #tableWatch = new TableWatch();
  #initialSendWindow = FIRST_WINDOW_BYTES;
  #initialReceiveWindow = FIRST_WINDOW_BYTES;
  #pendingSettings: PendingSettings[] = [];
  #pings = new Map<number, () => void>();
  #lastPing = 0;
  #unread: Buffer = Buffer.alloc(0);
  #block: { readonly frame: Frame; readonly pieces: Buffer[] } | undefined = undefined;
  #waiters: (() => void)[] = [];

  constructor(socket: Socket, onProblem: (text: string) => void) {
    this.socket = socket;
    this.#onProblem = onProblem;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => {});
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.closed = true;
        this.#wake();
      });
    }
  }

  begin(settings: readonly (readonly [name: number, value: number])[]): void {
    this.socket.write(PREFACE);
    this.changeSettings(settings);
  }

  /** Sends settings, whose effect on windows is counted from their acknowledgement on. */
  changeSettings(settings: readonly (readonly [name: number, value: number])[]): void {
    const payload = Buffer.alloc(settings.length * 6);
    let window = this.#initialReceiveWindow;
    settings.forEach(([name, value], index) => {
      payload.writeUInt16BE(name, index * 6);
      payload.writeUInt32BE(value, index * 6 + 2);
      if (name === INITIAL_WINDOW_SIZE) window = value;
    });
    const tableBytes = settings.flatMap(([name, value]) => (name === HEADER_TABLE_SIZE ? [value] : []));
    this.#pendingSettings.push({ windowChange: window - this.#initialReceiveWindow, tableBytes, nextId: this.nextId });
    this.#initialReceiveWindow = window;
    this.send(FRAME.settings, 0, 0, payload);
  }

  send(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    if (!this.socket.destroyed) this.socket.write(frameBytes(type, flags, stream, payload));
  }

  /** Begins a stream with this call. */
  open(call: FuzzCall): FuzzStream {
    const stream = new FuzzStream(this.nextId, call, this.#initialSendWindow, this.#initialReceiveWindow);
    this.streams.set(stream.id, stream);
    this.nextId += 2;
    return stream;
  }

  /** A block of fields for the peer. It has to be sent, whatever becomes of its stream. */
  encode(fields: readonly Field[]): Buffer {
    return writeBlock(this.#encoder, fields);
  }

  /** Gives the gateway room for more. */
  grow(stream: FuzzStream | undefined, bytes: number): void {
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(bytes);
    if (stream === undefined) this.receiveWindow += bytes;
    else stream.receiveWindow += bytes;
    this.send(FRAME.windowUpdate, 0, stream?.id ?? 0, increment);
  }

  /** Resets a stream; from the answer to a PING on the gateway must have nothing more to say of it. */
  cancel(stream: FuzzStream, code: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    stream.cancelled = true;
    stream.sentEnd = true;
    this.send(FRAME.rstStream, 0, stream.id, payload);
    this.ping(() => {
      stream.silenced = true;
    });
  }

  ping(onAnswer: () => void): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(++this.#lastPing, 4);
    this.#pings.set(this.#lastPing, onAnswer);
    this.send(FRAME.ping, 0, 0, payload);
  }

  /** Waits until `holds` does, or the connection is over. */
  async until(holds: () => boolean): Promise<void> {
    while (!this.closed && !holds()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Nothing is left of what was asked for. */
  get settled(): boolean {
    return this.#pings.size === 0 && this.#pendingSettings.length === 0;
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    while (this.#unread.length >= HEAD_BYTES) {
      const length = this.#unread.readUIntBE(0, 3);
      if (length > MOST_PAYLOAD_BYTES) this.#onProblem(`a frame of ${length} bytes`);
      if (this.#unread.length < HEAD_BYTES + length) break;
      const [, , , type = 0, flags = 0] = this.#unread;
      const stream = this.#unread.readUInt32BE(5) & 0x7fffffff;
      const payload = this.#unread.subarray(HEAD_BYTES, HEAD_BYTES + length);
      this.#unread = this.#unread.subarray(HEAD_BYTES + length);
      try {
        this.#take({ type, flags, stream, payload });
      } catch (error) {
        this.#onProblem(String(error));
        this.socket.destroy();
        break;
      }
    }
    this.#wake();
  }

  #take(frame: Frame): void {
    const { type, flags, payload } = frame;
    if (this.#block !== undefined && type !== FRAME.continuation) throw new Error('a block of fields was broken off');
    switch (type) {
      case FRAME.data:
        this.#takeData(frame);
        break;
      case FRAME.headers:
      case FRAME.continuation:
        this.#takeFields(frame);
        break;
      case FRAME.rstStream:
        this.#streamOf(frame).resetCode = payload.readUInt32BE(0);
        break;
      case FRAME.settings:
        if ((flags & FLAG.ack) !== 0) this.#takeAcknowledgement();
        else this.#takeSettings(payload);
        break;
      case FRAME.ping:
        this.#takePing(flags, payload);
        break;
      case FRAME.goaway:
        this.goawayCode = payload.readUInt32BE(4);
        break;
      case FRAME.windowUpdate:
        this.#takeIncrement(frame);
        break;
      default:
        throw new Error(`a frame of the type ${type}`);
    }
  }

  #takeData({ stream: id, flags, payload }: Frame): void {
    const stream = this.#streamOf({ stream: id, type: FRAME.data });
    this.receiveWindow -= payload.length;
    stream.receiveWindow -= payload.length;
    if (payload.length > 0 && (this.receiveWindow < 0 || stream.receiveWindow < 0)) {
      throw new Error(`${payload.length} bytes beyond the window of ${stream.receiveWindow} or ${this.receiveWindow}`);
    }
    if ((flags & FLAG.padded) !== 0) throw new Error('padding that nobody has asked for');
    stream.takeData(payload, (flags & FLAG.endStream) !== 0);
  }

  #takeFields(frame: Frame): void {
    this.#block ??= { frame, pieces: [] };
    const { frame: first, pieces } = this.#block;
    if (first.stream !== frame.stream || (frame.type === FRAME.headers) !== (pieces.length === 0)) throw new Error('a block out of order');
    pieces.push(frame.payload);
    if ((frame.flags & FLAG.endHeaders) === 0) return;
    this.#block = undefined;
    this.#tableWatch.look(Buffer.concat(pieces));
    const { outcome, fields } = readBlock(this.#decoder, Buffer.concat(pieces));
    if (outcome !== HPACK.done) throw new Error(`a block that cannot be read: ${Buffer.concat(pieces).toString('hex')}`);
    this.#streamOf(first).takeHead(fields, (first.flags & FLAG.endStream) !== 0);
  }

  #takeSettings(payload: Buffer): void {
    for (let at = 0; at < payload.length; at += 6) {
      const value = payload.readUInt32BE(at + 2);
      if (payload.readUInt16BE(at) === HEADER_TABLE_SIZE) this.#encoder.resizeTable(value);
      if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue;
      for (const stream of this.streams.values()) stream.sendWindow += value - this.#initialSendWindow;
      this.#initialSendWindow = value;
    }
    this.send(FRAME.settings, FLAG.ack, 0);
  }

  #takeAcknowledgement(): void {
    const pending = this.#pendingSettings.shift();
    if (pending === undefined) throw new Error('settings were acknowledged that were never sent');
    for (const bytes of pending.tableBytes) this.#tableWatch.acknowledged(bytes);
    for (const stream of this.streams.values()) if (stream.id < pending.nextId) stream.receiveWindow += pending.windowChange;
  }

  #takePing(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ack) === 0) {
      this.send(FRAME.ping, FLAG.ack, 0, payload);
      return;
    }
    const number = payload.readUInt32BE(4);
    const onAnswer = this.#pings.get(number);
    if (onAnswer === undefined || !this.#pings.delete(number)) throw new Error(`the answer ${payload.toString('hex')} to no PING`);
    onAnswer();
  }

  #takeIncrement(frame: Frame): void {
    const increment = frame.payload.readUInt32BE(0);
    if (frame.stream === 0) this.sendWindow += increment;
    else this.#streamOf(frame).sendWindow += increment;
    const window = frame.stream === 0 ? this.sendWindow : this.#streamOf(frame).sendWindow;
    if (increment === 0 || window > MOST_WINDOW_BYTES) throw new Error(`a window that grows by ${increment} to ${window}`);
  }

  #streamOf({ stream: id, type }: Pick<Frame, 'stream' | 'type'>): FuzzStream {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error(`a frame of the type ${type} on stream ${id}, which nobody has begun`);
    return stream;
  }
}
