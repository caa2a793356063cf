import { FLAG, FRAME, fieldBlock, frameBytes } from '../http2-frames.ts';

const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const STREAM_CLOSED = 5;
const FRAME_SIZE_ERROR = 6;
const COMPRESSION_ERROR = 9;

/** Something that ends a connection of HTTP/2. */
export interface ConnectionFault {
  readonly name: string;
  /** The codes with which RFC 9113 has the connection end; empty where it may just be closed. */
  readonly codes: readonly number[];
  /** By how much the connection's window grows before the gateway can see the offence. */
  readonly growsBy?: number;
  /** What is sent; `next` is the number of the next stream, and that stream and the ones behind it are unused. */
  bytes(next: number): Buffer;
}

/** Where the gateway has no reason to doubt it yet it may reach the upstream, which knows its owner as nobody's. */
const GET = fieldBlock([
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/1'],
  [':authority', 'a'],
  ['x-owner', '1'],
  ['x-length', '0'],
  ['x-wanted', '0'],
  ['x-mode', 'answer'],
]);
const HEADERS = FLAG.endHeaders | FLAG.endStream;

function fault(name: string, codes: number | readonly number[], bytes: (next: number) => Buffer): ConnectionFault {
  return { name, codes: typeof codes === 'number' ? [codes] : codes, bytes };
}

function one(name: string, code: number, type: number, flags: number, stream: number, payload: readonly number[]): ConnectionFault {
  return fault(name, code, () => frameBytes(type, flags, stream, Buffer.from(payload)));
}

const MOST_INCREMENT = 0x7fffffff;
const GROWTH = frameBytes(FRAME.windowUpdate, 0, 0, Buffer.of(0x7f, 0xff, 0xff, 0xff));

const ZEROS = (count: number): number[] => new Array<number>(count).fill(0);

/** Offences for which the whole connection answers (RFC 9113 §4 to §6, RFC 7541). */
export const CONNECTION_FAULTS: readonly ConnectionFault[] = [
  one('DATA on stream 0', PROTOCOL_ERROR, FRAME.data, 0, 0, [1]),
  fault('DATA on an idle stream', PROTOCOL_ERROR, (next) => frameBytes(FRAME.data, 0, next, Buffer.of(1))),
  one('HEADERS on stream 0', PROTOCOL_ERROR, FRAME.headers, HEADERS, 0, [...GET]),
  one('HEADERS on an even stream', PROTOCOL_ERROR, FRAME.headers, HEADERS, 2, [...GET]),
  fault('a stream below one that was begun', [PROTOCOL_ERROR, STREAM_CLOSED], (next) =>
    Buffer.concat([frameBytes(FRAME.headers, HEADERS, next + 4, GET), frameBytes(FRAME.headers, HEADERS, next, GET)]),
  ),
  fault('CONTINUATION without a block', PROTOCOL_ERROR, (next) => frameBytes(FRAME.continuation, FLAG.endHeaders, next, GET)),
  fault('a block broken off by PING', PROTOCOL_ERROR, (next) =>
    Buffer.concat([frameBytes(FRAME.headers, 0, next, GET), frameBytes(FRAME.ping, 0, 0, Buffer.alloc(8))]),
  ),
  fault('a block that goes on on another stream', PROTOCOL_ERROR, (next) =>
    Buffer.concat([frameBytes(FRAME.headers, 0, next, GET), frameBytes(FRAME.continuation, FLAG.endHeaders, next + 2, GET)]),
  ),
  fault('HEADERS with more padding than payload', PROTOCOL_ERROR, (next) =>
    frameBytes(FRAME.headers, HEADERS | FLAG.padded, next, Buffer.concat([Buffer.of(255), GET])),
  ),
  fault('HEADERS too short for its priority', FRAME_SIZE_ERROR, (next) => frameBytes(FRAME.headers, HEADERS | 0x20, next, Buffer.alloc(3))),
  fault('DATA with more padding than payload', PROTOCOL_ERROR, (next) =>
    Buffer.concat([frameBytes(FRAME.headers, FLAG.endHeaders, next, GET), frameBytes(FRAME.data, FLAG.padded, next, Buffer.of(9, 1))]),
  ),
  one('PING of seven bytes', FRAME_SIZE_ERROR, FRAME.ping, 0, 0, ZEROS(7)),
  one('PING on a stream', PROTOCOL_ERROR, FRAME.ping, 0, 1, ZEROS(8)),
  one('SETTINGS of five bytes', FRAME_SIZE_ERROR, FRAME.settings, 0, 0, ZEROS(5)),
  one('SETTINGS on a stream', PROTOCOL_ERROR, FRAME.settings, 0, 1, []),
  one('an acknowledgement with settings', FRAME_SIZE_ERROR, FRAME.settings, FLAG.ack, 0, ZEROS(6)),
  one('a window of 2^31', FLOW_CONTROL_ERROR, FRAME.settings, 0, 0, [0, 4, 0x80, 0, 0, 0]),
  one('frames of at most 0 bytes', PROTOCOL_ERROR, FRAME.settings, 0, 0, [0, 5, 0, 0, 0, 0]),
  one('ENABLE_PUSH of 2', PROTOCOL_ERROR, FRAME.settings, 0, 0, [0, 2, 0, 0, 0, 2]),
  one('a window that grows by nothing', PROTOCOL_ERROR, FRAME.windowUpdate, 0, 0, ZEROS(4)),
  {
    // Where the window is 0 the first one may still be.
    ...fault('a window that grows too far', FLOW_CONTROL_ERROR, () => Buffer.concat([GROWTH, GROWTH])),
    growsBy: MOST_INCREMENT,
  },
  one('WINDOW_UPDATE of three bytes', FRAME_SIZE_ERROR, FRAME.windowUpdate, 0, 0, ZEROS(3)),
  fault('WINDOW_UPDATE on an idle stream', PROTOCOL_ERROR, (next) => frameBytes(FRAME.windowUpdate, 0, next, Buffer.of(0, 0, 0, 1))),
  fault('RST_STREAM on an idle stream', PROTOCOL_ERROR, (next) => frameBytes(FRAME.rstStream, 0, next, Buffer.alloc(4))),
  one('RST_STREAM on stream 0', PROTOCOL_ERROR, FRAME.rstStream, 0, 0, ZEROS(4)),
  one('RST_STREAM of three bytes', FRAME_SIZE_ERROR, FRAME.rstStream, 0, 1, ZEROS(3)),
  one('PRIORITY on stream 0', PROTOCOL_ERROR, FRAME.priority, 0, 0, ZEROS(5)),
  one('PUSH_PROMISE of a client', PROTOCOL_ERROR, FRAME.pushPromise, FLAG.endHeaders, 1, ZEROS(8)),
  one('GOAWAY on a stream', PROTOCOL_ERROR, FRAME.goaway, 0, 1, ZEROS(8)),
  one('GOAWAY of seven bytes', FRAME_SIZE_ERROR, FRAME.goaway, 0, 0, ZEROS(7)),
  one('a frame of 16385 bytes', FRAME_SIZE_ERROR, 0x7f, 0, 0, ZEROS(16_385)),
  fault('an index behind the tables', COMPRESSION_ERROR, (next) => frameBytes(FRAME.headers, HEADERS, next, Buffer.of(0xff, 0xff, 0x7f))),
  fault('a Huffman string with the end in it', COMPRESSION_ERROR, (next) =>
    frameBytes(FRAME.headers, HEADERS, next, Buffer.of(0x40, 0x84, 0xff, 0xff, 0xff, 0xff, 0)),
  ),
  fault('a table larger than offered', COMPRESSION_ERROR, (next) =>
    frameBytes(FRAME.headers, HEADERS, next, Buffer.of(0x3f, 0xff, 0xff, 0xff, 0x7f)),
  ),
];
