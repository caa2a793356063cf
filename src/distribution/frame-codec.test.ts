import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder, ProtocolError } from './frame-codec.ts';
import { MAX_FRAME_BYTES } from './protocol.ts';

function decodeAll(decoder: FrameDecoder, chunks: readonly Buffer[]): string[] {
  return chunks.flatMap((chunk) => [...decoder.push(chunk)]);
}

function lengthPrefix(length: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length);
  return prefix;
}

describe('frames', () => {
  test('frames come out as they went in, wherever the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 6 }), fc.array(fc.nat(40), { maxLength: 60 }), (texts, cuts) => {
        const bytes = Buffer.concat(texts.map((text) => encodeFrame({ text })));
        const chunks: Buffer[] = [];
        let start = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(start, start + cut));
          start += cut;
        }
        chunks.push(bytes.subarray(start));
        assert.deepEqual(
          decodeAll(new FrameDecoder(), chunks),
          texts.map((text) => JSON.stringify({ text })),
        );
      }),
    );
  });

  test('single bytes arriving one by one make the same frame', () => {
    const frame = encodeFrame({ kind: 'heartbeat', nowMs: 1 });
    const chunks = [...frame].map((byte) => Buffer.from([byte]));
    assert.deepEqual(decodeAll(new FrameDecoder(), chunks), ['{"kind":"heartbeat","nowMs":1}']);
  });

  test('a length above the limit is refused before a byte of the frame arrives', () => {
    assert.throws(() => decodeAll(new FrameDecoder(), [lengthPrefix(MAX_FRAME_BYTES + 1)]), ProtocolError);
    assert.throws(() => decodeAll(new FrameDecoder(100), [lengthPrefix(101)]), /above the limit of 100/);
    assert.deepEqual(decodeAll(new FrameDecoder(100), [lengthPrefix(100)]), []);
  });

  test('an empty frame and bytes that are no UTF-8 are refused', () => {
    assert.throws(() => decodeAll(new FrameDecoder(), [lengthPrefix(0)]), ProtocolError);
    assert.throws(() => decodeAll(new FrameDecoder(), [lengthPrefix(2), Buffer.from([0xc3, 0x28])]), ProtocolError);
  });

  test('a message that no peer would accept is not sent', () => {
    assert.throws(() => encodeFrame({ payload: 'x'.repeat(MAX_FRAME_BYTES) }), RangeError);
  });
});
