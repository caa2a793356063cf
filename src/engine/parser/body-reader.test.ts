import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { BodyReader } from './body-reader.ts';
import { BODY } from './chunked-parser.ts';

interface Outcome {
  readonly event: number;
  readonly body: string;
  readonly consumed: number;
  readonly trailers: readonly string[];
}

function read(reader: BodyReader, bytes: Buffer, cuts: readonly number[]): Outcome {
  let body = '';
  let start = 0;
  let consumed = 0;
  for (const end of [...cuts, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(start, end));
    let position = 0;
    let event: number = BODY.data;
    while (event === BODY.data) {
      event = reader.next(piece, position, piece.length);
      if (event === BODY.data) body += piece.toString('latin1', reader.dataStart, reader.dataEnd);
      position = reader.position;
    }
    consumed += position;
    start = end;
    piece.fill(0x58);
    if (event === BODY.failed) return { event, body: '', consumed: 0, trailers: [] };
    if (event === BODY.done) return { event, body, consumed, trailers: trailersOf(reader) };
  }
  return { event: BODY.more, body, consumed, trailers: [] };
}

function trailersOf(reader: BodyReader): readonly string[] {
  const chunked = reader.chunked;
  const fields = chunked?.trailers;
  if (chunked === undefined || fields === undefined) return [];
  return Array.from({ length: fields.count }, (_, index) =>
    chunked.trailerBytes.toString('latin1', fields.nameStart(index), fields.valueEnd(index)),
  );
}

function readChunked(text: string, cuts: readonly number[] = []): Outcome {
  const reader = new BodyReader(DEFAULT_ENGINE_LIMITS);
  reader.begin('chunked', 0);
  return read(reader, Buffer.from(text, 'latin1'), cuts);
}

const GOOD: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['no data', '0\r\n\r\n', '', []],
  ['two chunks', '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n', 'hello!', []],
  [
    'hexadecimal sizes in both cases',
    `A\r\n${'x'.repeat(10)}\r\na\r\n${'y'.repeat(10)}\r\n0\r\n\r\n`,
    `${'x'.repeat(10)}${'y'.repeat(10)}`,
    [],
  ],
  ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello', []],
  ['extensions', '5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n', 'hello', []],
  ['white space before an extension', '5 \t;a\r\nhello\r\n0\r\n\r\n', 'hello', []],
  ['trailers', '1\r\nx\r\n0\r\nX-A: 1\r\nX-B:2\r\n\r\n', 'x', ['X-A: 1', 'X-B:2']],
  ['data that looks like framing', '7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n', '0\r\n\r\n0\r', []],
];

const BAD: readonly (readonly [string, string])[] = [
  ['an empty size', '\r\n\r\n'],
  ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a size that is no number', 'g\r\n'],
  ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a space behind the size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a size of 14 digits', '10000000000000\r\n'],
  ['endless zeros', `${'0'.repeat(40)}5\r\nhello\r\n`],
  ['a bare LF behind the size', '5\nhello\r\n0\r\n\r\n'],
  ['a bare CR behind the size', '5\rhello\r\n0\r\n\r\n'],
  ['a bare LF behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['a bare CR behind the data', '5\r\nhello\r0\r\n\r\n'],
  ['data longer than the size', '5\r\nhello!\r\n0\r\n\r\n'],
  ['data shorter than the size', '5\r\nhell\r\n0\r\n\r\n'],
  ['a bare LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
  ['a bare CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['NUL in an extension', '5;a\0b\r\nhello\r\n0\r\n\r\n'],
  ['an extension without a semicolon', '5a=b\r\nhello\r\n0\r\n\r\n'],
  ['extensions beyond the limit', `1;${'a'.repeat(5000)}\r\nx\r\n0\r\n\r\n`],
  ['extensions beyond the limit over many chunks', `${`1;${'a'.repeat(500)}\r\nx\r\n`.repeat(9)}0\r\n\r\n`],
  ['a trailer with a space before the colon', '0\r\nX-A : 1\r\n\r\n'],
  ['a folded trailer', '0\r\nX-A: 1\r\n b\r\n\r\n'],
  ['a bare LF in trailers', '0\r\nX-A: 1\n\r\n'],
  ['trailers beyond the limit', `0\r\nX-A: ${'a'.repeat(9000)}\r\n\r\n`],
  ['too many trailers', `0\r\n${'X: 1\r\n'.repeat(65)}\r\n`],
];

describe('a chunked body is read', () => {
  for (const [name, text, body, trailers] of GOOD) {
    test(name, () => {
      assert.deepEqual(readChunked(`${text}behind`), { event: BODY.done, body, consumed: text.length, trailers });
    });
  }
});

describe('malformed chunked framing is refused', () => {
  for (const [name, text] of BAD) {
    test(name, () => {
      assert.equal(readChunked(text).event, BODY.failed);
    });
  }
});

test('where a chunked body is split makes no difference', () => {
  const corpus = [...GOOD.map(([, text]) => `${text}behind`), ...BAD.map(([, text]) => text)];
  const samples = fc
    .constantFrom(...corpus)
    .chain((text) => fc.tuple(fc.constant(text), fc.array(fc.nat({ max: text.length }), { maxLength: 10 })));
  fc.assert(
    fc.property(samples, ([text, points]) => {
      const cuts = [...points].sort((left, right) => left - right);
      assert.deepEqual(readChunked(text, cuts), readChunked(text));
    }),
    { numRuns: 2000 },
  );
});

test('a reader that is used again remembers nothing of the body before', () => {
  const reader = new BodyReader(DEFAULT_ENGINE_LIMITS);
  for (const text of [...GOOD.map(([, good]) => good), ...BAD.map(([, bad]) => bad)]) {
    reader.begin('chunked', 0);
    read(reader, Buffer.from(text, 'latin1'), []);
    reader.begin('chunked', 0);
    assert.equal(read(reader, Buffer.from('2\r\nok\r\n0\r\n\r\n', 'latin1'), []).body, 'ok');
  }
});

test('a body of known length ends after as many bytes', () => {
  const reader = new BodyReader(DEFAULT_ENGINE_LIMITS);
  reader.begin('length', 5);
  assert.deepEqual(read(reader, Buffer.from('hello, next'), [2, 3]), { event: BODY.done, body: 'hello', consumed: 5, trailers: [] });
});

test('no body and an empty body are done at once', () => {
  const reader = new BodyReader(DEFAULT_ENGINE_LIMITS);
  reader.begin('none', 0);
  assert.equal(reader.done, true);
  reader.begin('length', 0);
  assert.equal(reader.done, true);
  assert.equal(reader.next(Buffer.from('x'), 0, 1), BODY.done);
  assert.equal(reader.position, 0);
});
