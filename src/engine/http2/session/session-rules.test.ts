import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG, FRAME, fieldBlock, frameBytes } from '../../testing/http2-frames.ts';
import { Http2SessionSubject, REQUEST_BLOCK } from '../../testing/http2-session-subject.ts';

const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const STREAM_CLOSED = 5;
const FRAME_SIZE_ERROR = 6;
const REFUSED_STREAM = 7;
const COMPRESSION_ERROR = 9;
const ENHANCE_YOUR_CALM = 11;
const NOTHING = Buffer.alloc(0);

function number(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

function setting(name: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(name);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function frames(...list: readonly (readonly [type: number, flags: number, stream: number, payload: Uint8Array])[]): Buffer {
  return Buffer.concat(list.map(([type, flags, stream, payload]) => frameBytes(type, flags, stream, payload)));
}

const OPEN = frames([FRAME.headers, FLAG.endHeaders, 1, REQUEST_BLOCK]);
const HALF_CLOSED = frames([FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, REQUEST_BLOCK]);
const RESET = frames([FRAME.headers, FLAG.endHeaders, 1, REQUEST_BLOCK], [FRAME.rstStream, 0, 1, number(8)]);

/** What a client sends behind its beginning, and what it is told; the sections are those of RFC 9113. */
const OFFENCES: readonly (readonly [what: string, before: Buffer, then: Buffer, told: readonly string[]])[] = [
  ['§4.2 a frame longer than allowed', NOTHING, Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1]), [`connection: ${FRAME_SIZE_ERROR}`]],
  ['§4.1 a type that nobody knows is left out', OPEN, frames([0xee, 0xff, 1, number(1)]), []],
  ['§4.3 a block that is none', NOTHING, frames([FRAME.headers, 5, 1, Buffer.from([0x80])]), [`connection: ${COMPRESSION_ERROR}`]],
  ['§5.1 DATA on an idle stream', NOTHING, frames([FRAME.data, 0, 1, number(1)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§5.1 RST_STREAM on an idle stream', NOTHING, frames([FRAME.rstStream, 0, 1, number(8)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§5.1 WINDOW_UPDATE on an idle stream', NOTHING, frames([FRAME.windowUpdate, 0, 1, number(8)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§5.1 DATA behind the end', HALF_CLOSED, frames([FRAME.data, 0, 1, number(1)]), [`stream 1: ${STREAM_CLOSED}`]],
  ['§5.1 HEADERS behind the end', HALF_CLOSED, frames([FRAME.headers, 5, 1, REQUEST_BLOCK]), [`stream 1: ${STREAM_CLOSED}`]],
  ['§5.1 WINDOW_UPDATE behind the end is in order', HALF_CLOSED, frames([FRAME.windowUpdate, 0, 1, number(8)]), []],
  ['§5.1 DATA behind the own reset', RESET, frames([FRAME.data, 0, 1, number(1)]), [`stream 1: ${STREAM_CLOSED}`]],
  ['§5.1 HEADERS behind the own reset', RESET, frames([FRAME.headers, 5, 1, REQUEST_BLOCK]), [`connection: ${STREAM_CLOSED}`]],
  [
    '§5.1 PRIORITY, RST_STREAM and WINDOW_UPDATE on a closed stream are in order',
    RESET,
    frames([FRAME.priority, 0, 1, Buffer.alloc(5)], [FRAME.rstStream, 0, 1, number(8)], [FRAME.windowUpdate, 0, 1, number(8)]),
    [],
  ],
  ['§5.1.1 an even number', NOTHING, frames([FRAME.headers, 5, 2, REQUEST_BLOCK]), [`connection: ${PROTOCOL_ERROR}`]],
  [
    '§5.1.1 a lower number',
    frames([FRAME.headers, 5, 5, REQUEST_BLOCK]),
    frames([FRAME.headers, 5, 3, REQUEST_BLOCK]),
    [`connection: ${STREAM_CLOSED}`],
  ],
  ['§6.1 DATA on no stream', OPEN, frames([FRAME.data, 0, 0, number(1)]), [`connection: ${PROTOCOL_ERROR}`]],
  [
    '§6.1 more padding than payload',
    OPEN,
    frames([FRAME.data, FLAG.padded, 1, Buffer.from([4, 0, 0, 0])]),
    [`connection: ${PROTOCOL_ERROR}`],
  ],
  ['§6.1 nothing but padding is in order', OPEN, frames([FRAME.data, FLAG.padded, 1, Buffer.from([3, 0, 0, 0])]), []],
  ['§6.1 padding without its length', OPEN, frames([FRAME.data, FLAG.padded, 1, NOTHING]), [`connection: ${FRAME_SIZE_ERROR}`]],
  ['§6.2 HEADERS on no stream', NOTHING, frames([FRAME.headers, 5, 0, REQUEST_BLOCK]), [`connection: ${PROTOCOL_ERROR}`]],
  [
    '§6.2 more padding than fields',
    NOTHING,
    frames([FRAME.headers, 5 | FLAG.padded, 1, Buffer.from([9, 0, 0])]),
    [`connection: ${PROTOCOL_ERROR}`],
  ],
  ['§6.2 a priority that is cut', NOTHING, frames([FRAME.headers, 5 | 0x20, 1, Buffer.from([0, 0])]), [`connection: ${FRAME_SIZE_ERROR}`]],
  [
    '§6.2 DATA inside a block',
    frames([FRAME.headers, 0, 1, REQUEST_BLOCK]),
    frames([FRAME.data, 0, 1, number(1)]),
    [`connection: ${PROTOCOL_ERROR}`],
  ],
  [
    '§6.2 a type that nobody knows inside a block',
    frames([FRAME.headers, 0, 1, REQUEST_BLOCK]),
    frames([0xee, 0, 1, number(1)]),
    [`connection: ${PROTOCOL_ERROR}`],
  ],
  ['§6.3 PRIORITY on no stream', NOTHING, frames([FRAME.priority, 0, 0, Buffer.alloc(5)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.3 PRIORITY of a wrong length', OPEN, frames([FRAME.priority, 0, 1, Buffer.alloc(4)]), [`stream 1: ${FRAME_SIZE_ERROR}`]],
  ['§6.4 RST_STREAM on no stream', NOTHING, frames([FRAME.rstStream, 0, 0, number(8)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.4 RST_STREAM of a wrong length', OPEN, frames([FRAME.rstStream, 0, 1, Buffer.alloc(3)]), [`connection: ${FRAME_SIZE_ERROR}`]],
  ['§6.5 SETTINGS on a stream', OPEN, frames([FRAME.settings, 0, 1, NOTHING]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.5 SETTINGS of a wrong length', NOTHING, frames([FRAME.settings, 0, 0, Buffer.alloc(5)]), [`connection: ${FRAME_SIZE_ERROR}`]],
  [
    '§6.5 an acknowledgement with a payload',
    NOTHING,
    frames([FRAME.settings, FLAG.ack, 0, Buffer.alloc(6)]),
    [`connection: ${FRAME_SIZE_ERROR}`],
  ],
  ['§6.5 an acknowledgement of nothing', NOTHING, frames([FRAME.settings, FLAG.ack, 0, NOTHING]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.5.2 ENABLE_PUSH 2', NOTHING, frames([FRAME.settings, 0, 0, setting(2, 2)]), [`connection: ${PROTOCOL_ERROR}`]],
  [
    '§6.5.2 INITIAL_WINDOW_SIZE too large',
    NOTHING,
    frames([FRAME.settings, 0, 0, setting(4, 2 ** 31)]),
    [`connection: ${FLOW_CONTROL_ERROR}`],
  ],
  ['§6.5.2 MAX_FRAME_SIZE too small', NOTHING, frames([FRAME.settings, 0, 0, setting(5, 16_383)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.5.2 MAX_FRAME_SIZE too large', NOTHING, frames([FRAME.settings, 0, 0, setting(5, 2 ** 24)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.5.2 a setting that nobody knows is left out', NOTHING, frames([FRAME.settings, 0, 0, setting(99, 2 ** 32 - 1)]), []],
  [
    'RFC 8441 §3 extended CONNECT taken back',
    frames([FRAME.settings, 0, 0, setting(8, 1)]),
    frames([FRAME.settings, 0, 0, setting(8, 0)]),
    [`connection: ${PROTOCOL_ERROR}`],
  ],
  ['many settings in one frame', NOTHING, frames([FRAME.settings, 0, 0, Buffer.alloc(6 * 33)]), [`connection: ${ENHANCE_YOUR_CALM}`]],
  ['§6.6 PUSH_PROMISE', OPEN, frames([FRAME.pushPromise, FLAG.endHeaders, 1, number(2)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.7 PING on a stream', OPEN, frames([FRAME.ping, 0, 1, Buffer.alloc(8)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.7 PING of a wrong length', NOTHING, frames([FRAME.ping, 0, 0, Buffer.alloc(7)]), [`connection: ${FRAME_SIZE_ERROR}`]],
  ['§6.8 GOAWAY on a stream', OPEN, frames([FRAME.goaway, 0, 1, Buffer.alloc(8)]), [`connection: ${PROTOCOL_ERROR}`]],
  ['§6.8 GOAWAY that is cut', NOTHING, frames([FRAME.goaway, 0, 0, Buffer.alloc(7)]), [`connection: ${FRAME_SIZE_ERROR}`]],
  [
    '§6.9 WINDOW_UPDATE of a wrong length',
    NOTHING,
    frames([FRAME.windowUpdate, 0, 0, Buffer.alloc(5)]),
    [`connection: ${FRAME_SIZE_ERROR}`],
  ],
  ['§6.9 no increment of a stream', OPEN, frames([FRAME.windowUpdate, 0, 1, number(0)]), [`stream 1: ${PROTOCOL_ERROR}`]],
  ['§6.9 no increment of the connection', NOTHING, frames([FRAME.windowUpdate, 0, 0, number(0)]), [`connection: ${PROTOCOL_ERROR}`]],
  [
    '§6.9.1 a window of a stream too large',
    OPEN,
    frames([FRAME.windowUpdate, 0, 1, number(0x7fff_ffff)]),
    [`stream 1: ${FLOW_CONTROL_ERROR}`],
  ],
  [
    '§6.9.1 a window of the connection too large',
    NOTHING,
    frames([FRAME.windowUpdate, 0, 0, number(0x7fff_ffff)]),
    [`connection: ${FLOW_CONTROL_ERROR}`],
  ],
  [
    '§6.9.2 a window too large by a setting',
    frames([FRAME.headers, 4, 1, REQUEST_BLOCK], [FRAME.windowUpdate, 0, 1, number(0x7fff_0000)]),
    frames([FRAME.settings, 0, 0, setting(4, 0x7fff_ffff)]),
    [`connection: ${FLOW_CONTROL_ERROR}`],
  ],
  ['§6.10 CONTINUATION of nothing', OPEN, frames([FRAME.continuation, FLAG.endHeaders, 1, NOTHING]), [`connection: ${PROTOCOL_ERROR}`]],
  [
    '§6.10 CONTINUATION of another stream',
    frames([FRAME.headers, 0, 1, REQUEST_BLOCK]),
    frames([FRAME.continuation, FLAG.endHeaders, 3, NOTHING]),
    [`connection: ${PROTOCOL_ERROR}`],
  ],
  [
    '§8.1 trailer fields that end nothing',
    OPEN,
    frames([FRAME.headers, FLAG.endHeaders, 1, fieldBlock([['x', 'y']])]),
    [`stream 1: ${PROTOCOL_ERROR}`],
  ],
  [
    'a list of too many fields',
    NOTHING,
    frames([FRAME.headers, 5, 1, fieldBlock(Array.from({ length: 200 }, () => ['x', 'y'] as const))]),
    [`stream 1: ${ENHANCE_YOUR_CALM}`],
  ],
];

test('each offence ends the stream or the connection that RFC 9113 names, with its code', () => {
  for (const [what, before, then, told] of OFFENCES) {
    const subject = new Http2SessionSubject();
    subject.begin();
    subject.feed(before);
    assert.deepEqual(subject.offences(), [], `${what}: before`);
    subject.feed(then);
    assert.deepEqual(subject.offences(), told, what);
    assert.equal(
      subject.session.over,
      told.some((one) => one.startsWith('connection')),
      what,
    );
    assert.equal(subject.transport.ended, subject.session.over, what);
  }
});

test('a connection begins with the preface and settings, and with nothing else', () => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\rX'),
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frameBytes(FRAME.ping, 0, 0, Buffer.alloc(8))]),
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frameBytes(FRAME.settings, FLAG.ack, 0, NOTHING)]),
  ]) {
    const subject = new Http2SessionSubject();
    subject.feed(bytes);
    assert.deepEqual(subject.offences(), [`connection: ${PROTOCOL_ERROR}`]);
  }
});

test('more bytes than the window end the stream, or the connection, and padding counts', () => {
  for (const padded of [false, true]) {
    const subject = new Http2SessionSubject({ streamWindowBytes: 20_000 });
    subject.holdsData = true;
    subject.begin();
    subject.request(1, false);
    const payload = padded ? Buffer.from([255, ...Buffer.alloc(9_999)]) : Buffer.alloc(10_000);
    for (let count = 0; count < 2; count++) subject.send(FRAME.data, padded ? FLAG.padded : 0, 1, payload);
    assert.deepEqual(subject.offences(), []);
    subject.send(FRAME.data, padded ? FLAG.padded : 0, 1, payload);
    assert.deepEqual(subject.offences(), [`stream 1: ${FLOW_CONTROL_ERROR}`]);
  }
});

test('a reader that is held up gets no more than the window of its stream, and room again for what it takes', () => {
  const subject = new Http2SessionSubject({ streamWindowBytes: 30_000, windowBytes: 100_000 });
  subject.holdsData = true;
  subject.begin();
  subject.request(1, false);
  subject.frames();
  for (let count = 0; count < 3; count++) subject.send(FRAME.data, 0, 1, Buffer.alloc(10_000, 'x'));
  assert.deepEqual(subject.frames(), []);
  subject.streams[0]?.resume();
  const [update] = subject.frames();
  assert.equal(update?.type, FRAME.windowUpdate);
  assert.equal(update?.stream, 1);
  assert.equal(update?.payload.readUInt32BE(0), 30_000);
  subject.send(FRAME.data, FLAG.endStream, 1, Buffer.alloc(10_000, 'y'));
  const data = `1 data ${'x'.repeat(30_000)}${'y'.repeat(10_000)}`;
  assert.deepEqual(subject.told, ['1 head 8 false', data, '1 end ']);
});

test('data goes as far as the windows allow, also below zero, and every stream has its turn', () => {
  const subject = new Http2SessionSubject();
  subject.begin();
  for (const stream of [1, 3]) subject.request(stream, true);
  subject.frames();
  const [first, second] = subject.streams;
  assert.equal(first?.write(Buffer.alloc(60_000), 0, 60_000), true);
  // 5,535 bytes are left of the connection's window.
  assert.equal(first?.write(Buffer.alloc(10_000), 0, 10_000, true), false);
  assert.equal(second?.write(Buffer.alloc(10_000), 0, 10_000, true), false);
  assert.equal(sum(subject.frames()), 65_535);
  // The windows of the streams are 100 now: the first has sent more than that, the second nothing.
  subject.send(FRAME.settings, 0, 0, setting(4, 100));
  subject.send(FRAME.windowUpdate, 0, 0, number(100_000));
  assert.deepEqual(lengths(subject.frames()), ['3: 100']);
  subject.send(FRAME.windowUpdate, 0, 1, number(65_435));
  assert.deepEqual(lengths(subject.frames()), []);
  subject.send(FRAME.windowUpdate, 0, 1, number(5_000));
  subject.send(FRAME.windowUpdate, 0, 3, number(20_000));
  assert.deepEqual(lengths(subject.frames()), ['1: 4465 end', '3: 9900 end']);
  assert.deepEqual(
    subject.told.filter((line) => line.includes('closed')),
    ['1 closed order 0', '3 closed order 0'],
  );
});

function lengths(list: ReturnType<Http2SessionSubject['frames']>): string[] {
  return list
    .filter(({ type }) => type === FRAME.data)
    .map(({ stream, flags, payload }) => `${stream}: ${payload.length}${flags === FLAG.endStream ? ' end' : ''}`);
}

function sum(list: ReturnType<Http2SessionSubject['frames']>): number {
  return list.reduce((total, { type, payload }) => total + (type === FRAME.data ? payload.length : 0), 0);
}

test('no more streams at once than allowed; those beyond are not begun and may be sent again', () => {
  const subject = new Http2SessionSubject({ streams: 2 });
  subject.begin();
  for (const stream of [1, 3, 5]) subject.request(stream, false);
  assert.deepEqual(subject.offences(), [`stream 5: ${REFUSED_STREAM}`]);
  assert.equal(subject.refusals, 1);
  subject.send(FRAME.rstStream, 0, 1, number(8));
  subject.request(7, false);
  assert.deepEqual(subject.offences(), []);
});

test('what comes late on a stream that was reset here is taken for nothing, and counts towards the windows', () => {
  const subject = new Http2SessionSubject({ windowBytes: 70_000 });
  subject.begin();
  subject.request(1, false);
  subject.streams[0]?.reset(8);
  subject.frames();
  for (let count = 0; count < 10; count++) subject.send(FRAME.data, 0, 1, Buffer.alloc(10_000));
  subject.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, fieldBlock([['x', 'y']]));
  const sent = subject.frames();
  assert.deepEqual(
    sent.map(({ type, stream }) => [type, stream]),
    [
      [FRAME.windowUpdate, 0],
      [FRAME.windowUpdate, 0],
    ],
  );
  assert.equal(subject.session.over, false);
});

test('behind a GOAWAY that names the last stream no further one is served', () => {
  const subject = new Http2SessionSubject();
  subject.begin();
  subject.request(1, false);
  subject.session.announceEnd();
  subject.request(3, true);
  subject.session.refuseFurther();
  subject.request(5, true);
  subject.send(FRAME.data, 0, 5, number(1));
  const goaways = subject.frames().filter(({ type }) => type === FRAME.goaway);
  assert.deepEqual(
    goaways.map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)]),
    [
      [0x7fff_ffff, 0],
      [3, 0],
    ],
  );
  assert.deepEqual(subject.told, ['1 head 8 false', '3 head 8 true']);
});

test('frames that carry nothing end the connection when they are many, and time makes up for some', () => {
  const subject = new Http2SessionSubject();
  subject.begin();
  const update = frameBytes(FRAME.windowUpdate, 0, 0, number(1));
  for (let count = 0; count < 9_990; count++) subject.feed(update);
  assert.equal(subject.session.over, false);
  subject.nowMs = 10_000;
  for (let count = 0; count < 900; count++) subject.feed(update);
  assert.equal(subject.session.over, false);
  for (let count = 0; count < 200; count++) subject.feed(update);
  assert.deepEqual(subject.offences(), [`connection: ${ENHANCE_YOUR_CALM}`]);
});
