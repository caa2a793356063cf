import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { hostileHeads, validHeads } from '../testing/request-head-corpus.ts';
import { PARSE } from './parse-status.ts';
import { RequestParser } from './request-parser.ts';

type Outcome = Readonly<Record<string, unknown>>;

/** Feeds the bytes in these pieces, each in a buffer that is wiped afterwards, as a transport's would be. */
function outcomeOf(bytes: Buffer, cuts: readonly number[], parser = new RequestParser(DEFAULT_ENGINE_LIMITS)): Outcome {
  let start = 0;
  let status: number = PARSE.more;
  let consumed = 0;
  for (const end of [...cuts, bytes.length]) {
    const piece = Buffer.concat([Buffer.from('before'), bytes.subarray(start, end)]);
    status = parser.feed(piece, 6, piece.length);
    consumed += parser.nextPosition - 6;
    start = end;
    if (status !== PARSE.more) {
      if (status === PARSE.done) parser.retain();
      piece.fill(0x58);
      break;
    }
    piece.fill(0x58);
  }
  if (status === PARSE.more) return { status: 'more' };
  return status === PARSE.failed ? { status: 'failed', reason: parser.reason } : { status: 'done', consumed, ...contents(parser) };
}

function contents(parser: RequestParser): Outcome {
  const text = (start: number, end: number): string => parser.bytes.toString('latin1', start, end);
  const fields = Array.from({ length: parser.headerCount }, (_, index) => [
    text(parser.fields.nameStart(index), parser.fields.nameEnd(index)),
    text(parser.fields.valueStart(index), parser.fields.valueEnd(index)),
    parser.fields.cuts[index],
  ]);
  return {
    method: text(parser.methodStart, parser.methodEnd),
    target: text(parser.targetStart, parser.targetEnd),
    query: text(parser.queryStart, parser.targetEnd),
    host: text(parser.hostStart, parser.hostEnd),
    minorVersion: parser.minorVersion,
    body: parser.body,
    contentLength: parser.contentLength,
    wantsKeepAlive: parser.wantsKeepAlive,
    expectsContinue: parser.expectsContinue,
    fields,
  };
}

function parse(text: string): Outcome {
  return outcomeOf(Buffer.from(text, 'latin1'), []);
}

describe('a request head that two readers could understand differently is refused', () => {
  for (const { name, bytes, reason } of hostileHeads) {
    test(name, () => {
      assert.deepEqual(outcomeOf(bytes, []), { status: 'failed', reason });
    });
  }
});

describe('a valid request head is read', () => {
  for (const { name, bytes, expected } of validHeads) {
    test(name, () => {
      const outcome = outcomeOf(bytes, []);
      assert.equal(outcome.status, 'done', JSON.stringify(outcome));
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(outcome[key], value, key);
    });
  }
});

test('where the bytes of a head are split makes no difference', () => {
  const corpus = [...hostileHeads, ...validHeads].map(({ bytes }) => bytes);
  const samples = fc
    .constantFrom(...corpus)
    .chain((bytes) => fc.tuple(fc.constant(bytes), fc.array(fc.nat({ max: bytes.length }), { maxLength: 8 })));
  fc.assert(
    fc.property(samples, ([bytes, points]) => {
      const cuts = [...points].sort((left, right) => left - right);
      assert.deepEqual(outcomeOf(bytes, cuts), outcomeOf(bytes, []));
    }),
    { numRuns: 2000 },
  );
});

test('a head that arrives byte by byte is read like one that arrives whole', () => {
  for (const { bytes } of [...hostileHeads, ...validHeads]) {
    if (bytes.length > 2000) continue;
    const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
    assert.deepEqual(outcomeOf(bytes, cuts), outcomeOf(bytes, []));
  }
});

test('a parser that is used again remembers nothing of the head before', () => {
  const parser = new RequestParser(DEFAULT_ENGINE_LIMITS);
  const all = [...hostileHeads, ...validHeads];
  for (const first of all) {
    outcomeOf(first.bytes, [Math.min(10, first.bytes.length)], parser);
    parser.reset();
    const next = validHeads[0];
    assert.ok(next);
    assert.deepEqual(outcomeOf(next.bytes, [], parser), outcomeOf(next.bytes, []));
    parser.reset();
  }
});

test('arbitrary bytes never make the parser throw or read past its input', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const outcome = outcomeOf(Buffer.from(bytes), []);
      assert.ok(outcome.status === 'more' || outcome.status === 'failed' || outcome.status === 'done');
    }),
  );
});

test('a header named by Connection is cut from what is sent on, and still found', () => {
  const parser = new RequestParser(DEFAULT_ENGINE_LIMITS);
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nAPIkey: secret\r\nConnection: close, apikey\r\n\r\n', 'latin1');
  assert.equal(parser.feed(bytes, 0, bytes.length), PARSE.done);
  const index = parser.findHeader(Buffer.from('apikey'));
  assert.equal(index, 1);
  assert.equal(parser.fields.cuts[index], 1);
});

test('repeated headers are found one after the other', () => {
  const parser = new RequestParser(DEFAULT_ENGINE_LIMITS);
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\n\r\n', 'latin1');
  assert.equal(parser.feed(bytes, 0, bytes.length), PARSE.done);
  assert.equal(parser.findHeader(Buffer.from('x-a')), 1);
  assert.equal(parser.findHeader(Buffer.from('x-a'), 2), 2);
  assert.equal(parser.findHeader(Buffer.from('x-a'), 3), -1);
});

test('an unfinished head asks for more', () => {
  assert.deepEqual(parse('GET / HTTP/1.1\r\nHost: a\r\n'), { status: 'more' });
  assert.deepEqual(parse('\r\n'), { status: 'more' });
  assert.deepEqual(parse('\r\n\r'), { status: 'more' });
});

test('a head in pieces is kept in memory of its own, not in a block that other buffers keep alive too', () => {
  const parser = new RequestParser(DEFAULT_ENGINE_LIMITS);
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n');
  assert.equal(parser.feed(bytes, 0, 10), PARSE.more);
  assert.equal(parser.feed(bytes, 10, bytes.length), PARSE.more);
  assert.ok(parser.bytes.buffer.byteLength <= 4096, `it is in ${parser.bytes.buffer.byteLength} bytes`);
});
