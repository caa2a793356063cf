import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FLAG, FRAME, fieldBlock, frameBytes, PREFACE } from '../../testing/http2-frames.ts';
import { Http2SessionSubject, REQUEST_BLOCK } from '../../testing/http2-session-subject.ts';

const GOOD_BEGINNING = Buffer.concat([PREFACE, frameBytes(FRAME.settings, 0, 0, Buffer.alloc(0))]);

const streamNumber = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(1, 3, 5, 7, 9) }, fc.constantFrom(0, 2, 11, 0x7fff_ffff));
const bytes = fc.uint8Array({ maxLength: 40 }).map((list) => Buffer.from(list));

/** Frames that could be right where they come. */
const usualFrame = fc.oneof(
  fc
    .tuple(streamNumber, fc.boolean())
    .map(([stream, ends]) => frameBytes(FRAME.headers, FLAG.endHeaders | Number(ends), stream, REQUEST_BLOCK)),
  fc.tuple(streamNumber, fc.boolean(), bytes).map(([stream, ends, data]) => frameBytes(FRAME.data, Number(ends), stream, data)),
  fc.tuple(streamNumber, fc.nat(20), bytes).map(([stream, padding, data]) => {
    const payload = Buffer.concat([Buffer.from([padding]), data, Buffer.alloc(padding)]);
    return frameBytes(FRAME.data, FLAG.padded, stream, payload);
  }),
  fc
    .tuple(streamNumber, fc.nat(REQUEST_BLOCK.length))
    .map(([stream, cut]) =>
      Buffer.concat([
        frameBytes(FRAME.headers, FLAG.endStream, stream, REQUEST_BLOCK.subarray(0, cut)),
        frameBytes(FRAME.continuation, FLAG.endHeaders, stream, REQUEST_BLOCK.subarray(cut)),
      ]),
    ),
  streamNumber.map((stream) => frameBytes(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, fieldBlock([['x-trailer', 'y']]))),
  streamNumber.map((stream) => frameBytes(FRAME.rstStream, 0, stream, Buffer.from([0, 0, 0, 8]))),
  fc.tuple(streamNumber, fc.nat(70_000)).map(([stream, increment]) => {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(increment);
    return frameBytes(FRAME.windowUpdate, 0, stream, payload);
  }),
  fc.tuple(fc.constantFrom(1, 3, 4, 5, 6, 9), fc.nat(100_000)).map(([name, value]) => {
    const payload = Buffer.alloc(6);
    payload.writeUInt16BE(name);
    payload.writeUInt32BE(value, 2);
    return frameBytes(FRAME.settings, 0, 0, payload);
  }),
  fc.constantFrom(frameBytes(FRAME.ping, 0, 0, Buffer.alloc(8)), frameBytes(FRAME.goaway, 0, 0, Buffer.alloc(8))),
);

/** Frames of any kind. */
const anyFrame = fc
  .tuple(fc.nat(10), fc.nat(255), streamNumber, bytes)
  .map(([type, flags, stream, payload]) => frameBytes(type, flags, stream, payload));

const conversation = fc
  .array(fc.oneof({ weight: 30, arbitrary: usualFrame }, { weight: 1, arbitrary: anyFrame }), { minLength: 1, maxLength: 60 })
  .map((list) => Buffer.concat([GOOD_BEGINNING, ...list]));

/** A server that answers each request in a way that its number decides. */
class AnsweringSubject extends Http2SessionSubject {
  override onStream(...given: Parameters<Http2SessionSubject['onStream']>): ReturnType<Http2SessionSubject['onStream']> {
    const [stream] = given;
    const receiver = super.onStream(...given);
    const encoder = stream.id % 4 === 3 ? stream.beginHead() : undefined;
    encoder?.write(':status', '200');
    if (encoder !== undefined) stream.sendHead(false);
    if (encoder !== undefined) stream.write(Buffer.alloc(70_000, stream.id), 0, 70_000, true);
    if (stream.id === 5) stream.reset(8);
    return receiver;
  }
}

function outcome(pieces: readonly Buffer[]): unknown {
  const subject = new AnsweringSubject({ windowBytes: 10_000_000, streamWindowBytes: 10_000_000 });
  for (const piece of pieces) subject.feed(piece);
  const sent = subject.frames();
  assert.ok(subject.session.pendingBytes === 0);
  return { told: subject.told, over: subject.session.over, sent };
}

test('however its bytes are split, a conversation has the same outcome, and none makes a session throw', () => {
  fc.assert(
    fc.property(conversation, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }), (sent, lengths) => {
      const pieces: Buffer[] = [];
      for (let at = 0, count = 0; at < sent.length; count++) {
        const length = lengths[count % lengths.length] ?? 1;
        // Each piece in a buffer that is used again, as a socket's.
        pieces.push(Buffer.from(sent.subarray(at, at + length)));
        at += length;
      }
      assert.deepEqual(outcome(pieces), outcome([sent]));
    }),
    { numRuns: 1500 },
  );
});

test('one byte at a time, too', () => {
  fc.assert(
    fc.property(conversation, (sent) => {
      assert.deepEqual(outcome(Array.from(sent, (_, at) => sent.subarray(at, at + 1))), outcome([sent]));
    }),
    { numRuns: 300 },
  );
});

test('bytes of no meaning end a connection at worst', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (list) => {
      outcome([GOOD_BEGINNING, Buffer.from(list)]);
      outcome([Buffer.from(list)]);
    }),
    { numRuns: 2000 },
  );
});
