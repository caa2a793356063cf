import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PARSE } from './parse-status.ts';
import { ResponseParser } from './response-parser.ts';

function outcomeOf(text: string, cuts: readonly number[] = []): Readonly<Record<string, unknown>> {
  const parser = new ResponseParser(2048, 20);
  const bytes = Buffer.from(text, 'latin1');
  let start = 0;
  let status: number = PARSE.more;
  for (const end of [...cuts, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(start, end));
    status = parser.feed(piece, 0, piece.length);
    start = end;
    if (status !== PARSE.more) break;
    piece.fill(0x58);
  }
  if (status !== PARSE.done) return { status };
  const { minorVersion, framing, contentLength, wantsKeepAlive, keepAliveMs, hasDate } = parser;
  const line = parser.bytes.toString('latin1', parser.statusStart, parser.statusEnd);
  return { status, code: parser.status, line, minorVersion, framing, contentLength, wantsKeepAlive, keepAliveMs, hasDate };
}

const GOOD: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { code: 200, line: '200 OK', framing: 'length', contentLength: 5 }],
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', { framing: 'chunked', wantsKeepAlive: true }],
  ['neither', 'HTTP/1.1 200 OK\r\n\r\n', { framing: 'close' }],
  ['an empty reason', 'HTTP/1.1 404 \r\n\r\n', { code: 404, line: '404 ' }],
  ['no reason and no space', 'HTTP/1.1 404\r\n\r\n', { code: 404, line: '404' }],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n', { minorVersion: 0, wantsKeepAlive: false }],
  ['HTTP/1.0 with keep-alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n', { wantsKeepAlive: true }],
  ['close', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', { wantsKeepAlive: false }],
  ['a time-out', 'HTTP/1.1 200 OK\r\nKeep-Alive: max=10, timeout=5\r\n\r\n', { keepAliveMs: 5000 }],
  ['a date', 'HTTP/1.1 200 OK\r\nDate: now\r\n\r\n', { hasDate: true }],
  ['a date that Connection names', 'HTTP/1.1 200 OK\r\nDate: now\r\nConnection: date\r\n\r\n', { hasDate: false }],
];

const BAD: readonly (readonly [string, string])[] = [
  ['no HTTP', 'SSH-2.0-x\r\n'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['an empty line in front', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n'],
  ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n'],
  ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n'],
  ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n'],
  ['a bad length', 'HTTP/1.1 200 OK\r\nContent-Length: 5a\r\n\r\n'],
  ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['two codings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['too large a head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(3000)}\r\n\r\n`],
  ['too many fields', `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(21)}\r\n`],
];

describe('a response head is read', () => {
  for (const [name, text, expected] of GOOD) {
    test(name, () => {
      const outcome = outcomeOf(text);
      assert.equal(outcome.status, PARSE.done);
      for (const [key, value] of Object.entries(expected)) assert.equal(outcome[key], value, key);
    });
  }
});

describe('a malformed response head is refused', () => {
  for (const [name, text] of BAD) {
    test(name, () => {
      assert.deepEqual(outcomeOf(text), { status: PARSE.failed });
    });
  }
});

test('where the bytes of a response head are split makes no difference', () => {
  const corpus = [...GOOD.map(([, text]) => text), ...BAD.map(([, text]) => text)];
  const samples = fc
    .constantFrom(...corpus)
    .chain((text) => fc.tuple(fc.constant(text), fc.array(fc.nat({ max: text.length }), { maxLength: 8 })));
  fc.assert(
    fc.property(samples, ([text, points]) => {
      const cuts = [...points].sort((left, right) => left - right);
      assert.deepEqual(outcomeOf(text, cuts), outcomeOf(text));
    }),
    { numRuns: 1000 },
  );
});
