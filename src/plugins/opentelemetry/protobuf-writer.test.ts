import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtobufWriter } from './protobuf-writer.ts';
import { decodeFields } from './testing/decode-protobuf.ts';

function hexOf(write: (writer: ProtobufWriter) => unknown): string {
  const writer = new ProtobufWriter();
  write(writer);
  return writer.toBuffer().toString('hex');
}

test('the examples of the documentation of the wire format come out byte for byte', () => {
  // protobuf.dev, "Encoding": `a: 150`, `b: "testing"`, `c: {a: 150}`.
  assert.equal(
    hexOf((writer) => writer.integer(1, 150)),
    '089601',
  );
  assert.equal(
    hexOf((writer) => writer.string(2, 'testing')),
    '120774657374696e67',
  );
  assert.equal(
    hexOf((writer) => writer.message(3, (inner) => inner.integer(1, 150))),
    '1a03089601',
  );
});

test('numbers of eight bytes are little-endian, and truth is 1', () => {
  assert.equal(
    hexOf((writer) => writer.fixed64(7, 0x0102030405060708n)),
    '390807060504030201',
  );
  assert.equal(
    hexOf((writer) => writer.double(4, 1)),
    '21000000000000f03f',
  );
  assert.equal(
    hexOf((writer) => writer.boolean(2, true).boolean(2, false)),
    '10011000',
  );
});

test('field numbers above 15 and lengths above 127 take another byte', () => {
  assert.equal(
    hexOf((writer) => writer.integer(16, 1)),
    '800101',
  );
  const long = hexOf((writer) => writer.message(1, (inner) => inner.string(1, 'x'.repeat(300))));
  assert.ok(long.startsWith('0aaf020aac02'));
  assert.equal(long.length, 2 * (3 + 303));
});

test('what is written is read by a decoder of another making, however it is nested', () => {
  const integer = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const fields = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 2 ** 20 }), fc.oneof(integer, fc.string({ unit: 'binary', maxLength: 300 }))),
    {
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(fields, fc.integer({ min: 0, max: 4 }), (written, depth) => {
      const writer = new ProtobufWriter();
      const writeAll = (left: number): void => {
        if (left > 0) writer.message(1, () => writeAll(left - 1));
        else for (const [field, value] of written) typeof value === 'number' ? writer.integer(field, value) : writer.string(field, value);
      };
      writeAll(depth);
      let bytes = writer.toBuffer();
      for (let level = 0; level < depth; level++) {
        const [only, ...others] = decodeFields(bytes);
        assert.ok(only !== undefined && others.length === 0 && Buffer.isBuffer(only.value));
        bytes = only.value;
      }
      const read = decodeFields(bytes).map(({ field, value }) => [field, Buffer.isBuffer(value) ? value.toString('hex') : Number(value)]);
      assert.deepEqual(
        read,
        written.map(([field, value]) => [field, typeof value === 'number' ? value : Buffer.from(value).toString('hex')]),
      );
    }),
  );
});
