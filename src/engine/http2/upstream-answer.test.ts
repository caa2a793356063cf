import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upstreamAnswer } from './upstream-answer.ts';

test('an answer without a body gets a length only where it could have had one', () => {
  const headOf = (status: number, isHead: boolean, fields: readonly string[] = []): string | undefined =>
    upstreamAnswer({ status, fields, endsHere: true, isHead })?.head;
  assert.equal(headOf(200, false), 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n');
  assert.equal(headOf(404, false), 'HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n');
  assert.equal(headOf(200, true), 'HTTP/1.1 200 \r\n\r\n');
  assert.equal(headOf(204, false), 'HTTP/1.1 204 \r\n\r\n');
  assert.equal(headOf(304, false), 'HTTP/1.1 304 \r\n\r\n');
  assert.equal(headOf(200, true, ['content-length', '5']), 'HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\n');
});
