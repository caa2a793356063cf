import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../lib/byte-writer.ts';
import { FakeTransport } from '../testing/fake-transport.ts';
import { OutputBuffer } from './output-buffer.ts';

function sendText(output: OutputBuffer, transport: FakeTransport, text: string): void {
  output.begin(text.length);
  output.appendAll(Buffer.from(text));
  output.send(transport);
}

test('bytes that a transport has not handed on are never written again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.integer({ min: 1, max: 90_000 }), takesAtOnce: fc.boolean() }), { maxLength: 30 }),
      (messages) => {
        const output = new OutputBuffer();
        const pending: { readonly view: Buffer; readonly expected: Buffer }[] = [];
        messages.forEach(({ size, takesAtOnce }, index) => {
          const transport = new FakeTransport();
          transport.takesAtOnce = takesAtOnce;
          const expected = Buffer.alloc(size, index);
          output.begin(100);
          output.appendAll(expected);
          output.send(transport);
          const view = transport.written[0];
          if (view === undefined) assert.fail('nothing was written');
          assert.ok(view.equals(expected));
          if (!takesAtOnce) pending.push({ view, expected });
        });
        for (const { view, expected } of pending) assert.ok(view.equals(expected));
      },
    ),
  );
});

test('bytes that the kernel took make room for the next message', () => {
  const output = new OutputBuffer();
  const transport = new FakeTransport();
  sendText(output, transport, 'first');
  sendText(output, transport, 'other');
  assert.equal(transport.written[0]?.buffer, transport.written[1]?.buffer);
  assert.equal(transport.written[0]?.byteOffset, transport.written[1]?.byteOffset);
});

test('a second message cannot begin before the first was sent', () => {
  const output = new OutputBuffer();
  output.begin(1);
  assert.throws(() => output.begin(1));
  output.discard();
  output.begin(1);
});

test('a discarded message leaves nothing behind', () => {
  const output = new OutputBuffer();
  const transport = new FakeTransport();
  output.begin(10);
  output.appendAll(Buffer.from('wrong'));
  output.discard();
  sendText(output, transport, 'right');
  assert.deepEqual(transport.written.map(String), ['right']);
});

test('numbers are written without leading zeros', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 2 ** 31 - 1 }), (decimal, hexadecimal) => {
      const writer = new ByteWriter(Buffer.alloc(0), 16);
      writer.appendDecimal(decimal);
      writer.appendByte(0x20);
      writer.appendHexadecimal(hexadecimal);
      assert.equal(writer.bytes.toString('latin1', 0, writer.position), `${decimal} ${hexadecimal.toString(16)}`);
    }),
  );
});

test('a part of a message is replaced by a shorter or a longer one', () => {
  for (const replacement of ['', 'b', 'bcd', 'a much longer replacement than fits']) {
    const writer = new ByteWriter(Buffer.alloc(16), 16);
    writer.appendAll(Buffer.from('head: xyz; tail'));
    writer.replace(6, 3, Buffer.from(replacement));
    assert.equal(writer.bytes.toString('latin1', writer.start, writer.position), `head: ${replacement}; tail`);
  }
});
