import { SlabPool } from '../http2/frames/slab-pool.ts';
import { TurnEnd } from '../http2/frames/turn-end.ts';
import { Http2Session } from '../http2/session/http2-session.ts';
import type { Http2Stream, StreamReceiver } from '../http2/session/http2-stream.ts';
import type { SessionOwner } from '../http2/session/session-owner.ts';
import type { SessionTerms } from '../http2/session/session-terms.ts';
import { StoredBytes } from '../http2/session/stored-bytes.ts';
import { FLAG, FRAME, type Frame, fieldBlock, frameBytes, PREFACE } from './http2-frames.ts';
import { RecordedTransport } from './recorded-transport.ts';

/** The fields of a request, without compression. */
export const REQUEST_BLOCK = fieldBlock([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
]);

const BEGINNING = Buffer.concat([PREFACE, frameBytes(FRAME.settings, 0, 0, Buffer.alloc(0))]);

/** A session without a socket: what is fed to it is answered in frames, and what its streams are told is written down. */
export class Http2SessionSubject implements SessionOwner {
  readonly session: Http2Session;
  readonly transport = new RecordedTransport();
  readonly streams: Http2Stream[] = [];
  /** What receivers were told, pieces of data of one stream put together. */
  readonly told: string[] = [];
  refusals = 0;
  nowMs = 0;
  /** Pieces of data are not taken. */
  holdsData = false;
  #read = 0;

  constructor(terms: Partial<SessionTerms> = {}) {
    this.session = new Http2Session(
      {
        isServer: true,
        tableBytes: 4096,
        listBytes: 16_384,
        pairs: 100,
        streams: 10,
        streamWindowBytes: 65_536,
        largestWindowBytes: 0,
        stored: new StoredBytes(Number.POSITIVE_INFINITY),
        windowBytes: 262_144,
        nowMs: () => this.nowMs,
        slabs: new SlabPool(),
        turnEnd: new TurnEnd(),
        ...terms,
      },
      this,
      () => this.transport,
    );
  }

  /** The client's beginning, and its acknowledgement of the settings. */
  begin(): void {
    this.feed(Buffer.concat([BEGINNING, frameBytes(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0))]));
  }

  feed(bytes: Buffer): void {
    this.session.onBytes(bytes, bytes.length);
  }

  send(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.feed(frameBytes(type, flags, stream, payload));
  }

  request(stream: number, endStream: boolean): void {
    this.send(FRAME.headers, FLAG.endHeaders | (endStream ? FLAG.endStream : 0), stream, REQUEST_BLOCK);
  }

  /** The frames written since the last call. */
  frames(): Frame[] {
    this.session.onTurnEnd();
    const bytes = Buffer.from(this.transport.text().slice(this.#read), 'latin1');
    this.#read += bytes.length;
    const frames: Frame[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUIntBE(at, 3);
      const payload = bytes.subarray(at + 9, at + 9 + length);
      frames.push({ type: bytes[at + 3] ?? 0, flags: bytes[at + 4] ?? 0, stream: bytes.readUInt32BE(at + 5), payload });
      at += 9 + length;
    }
    return frames;
  }

  /** How the peer was told of an offence since the last call: `stream 1: 5`, `connection: 1`, or nothing. */
  offences(): string[] {
    return this.frames().flatMap(({ type, stream, payload }) => {
      if (type === FRAME.rstStream) return [`stream ${stream}: ${payload.readUInt32BE(0)}`];
      return type === FRAME.goaway && payload.readUInt32BE(4) !== 0 ? [`connection: ${payload.readUInt32BE(4)}`] : [];
    });
  }

  onStream(stream: Http2Stream, fields: readonly string[], endsHere: boolean): StreamReceiver {
    this.streams.push(stream);
    this.told.push(`${stream.id} head ${fields.length} ${endsHere}`);
    if (this.holdsData) stream.pause();
    return this.receiver(stream.id);
  }

  receiver(id: number): StreamReceiver {
    let data = '';
    const tell = (what: string): void => {
      if (data !== '') this.told.push(`${id} data ${data}`);
      data = '';
      this.told.push(`${id} ${what}`);
    };
    return {
      onHead: (fields, endsHere) => tell(`head ${fields.length} ${endsHere}`),
      onData: (bytes, start, end) => {
        data += bytes.toString('latin1', start, end);
      },
      onEnd: (trailers) => tell(`end ${trailers.join(' ')}`),
      onDrained: () => tell('drained'),
      onClosed: () => {
        const stream = this.streams.find((one) => one.id === id);
        tell(`closed ${stream?.endedBy} ${stream?.code}`);
      },
    };
  }

  onRefused(): boolean {
    return ++this.refusals < 1000;
  }

  onSettings(): void {}
  onPingAnswered(): void {}
  onGoaway(): void {}
  onEmpty(): void {}
  onGone(): void {
    this.told.push('gone');
  }
}
