import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { checkRequest, checkResponse, NEAR_LIMITS, parserProperties } from '../testing/parser-properties.ts';
import { hostileHeads, validHeads } from '../testing/request-head-corpus.ts';

describe('the parsers agree with a slow reference parser on verdict, status, fields, body, trailers and end', () => {
  for (const { name, property, runs } of parserProperties) {
    test(name, () => {
      fc.assert(property, { numRuns: runs });
    });
  }

  for (const { name, bytes } of [...hostileHeads, ...validHeads]) {
    test(name, () => checkRequest(bytes.toString('latin1'), [1, Math.floor(bytes.length / 2)], DEFAULT_ENGINE_LIMITS));
  }
});

const SHORT_REQUESTS: readonly string[] = [
  '\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcG',
  'PUT http://a/ HTTP/1.1\r\nHost:a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\na\r\n\r\n0\r\nA: b \r\n\r\nG',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\nX: \t1 \r\n\r\nGET',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 ;\nX\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX: 1\n 2\r\n\r\n',
];

const SHORT_RESPONSES: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP',
  'HTTP/1.1 404\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nab\r\n0\r\nT: 1\r\n\r\nH',
  'HTTP/1.0 200 \r\nX: 1\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
];

test('every way to cut a short message into three pieces gives the same result', () => {
  for (const text of SHORT_REQUESTS) forEachTwoCuts(text, (cuts) => checkRequest(text, cuts, DEFAULT_ENGINE_LIMITS));
  for (const text of SHORT_RESPONSES) forEachTwoCuts(text, (cuts) => checkResponse(text, cuts, NEAR_LIMITS));
});

function forEachTwoCuts(text: string, check: (cuts: readonly number[]) => void): void {
  for (let first = 1; first < text.length; first++) {
    for (let second = first; second < text.length; second++) check([first, second]);
  }
}
