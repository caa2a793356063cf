import assert from 'node:assert/strict';
import test from 'node:test';
import { type RefusalStyle, refuse, respond } from './index.ts';

test('a refusal has the status and text of its reason, one line of JSON, and plain text as its type', () => {
  assert.deepEqual(refuse('key_missing'), {
    status: 401,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: '{"message":"Missing API key in request"}\n',
    reason: 'key_missing',
  });
});

test('headers and another text can be added to a refusal', () => {
  const answer = refuse('key_invalid', { headers: [['WWW-Authenticate', 'apikey']], message: 'say "no"' });
  assert.deepEqual(answer.headers, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['WWW-Authenticate', 'apikey'],
  ]);
  assert.equal(answer.body, '{"message":"say \\"no\\""}\n');
});

test('the status and the form of a refusal can be another', () => {
  const body = (style: RefusalStyle) => refuse('uri_blocked', { style, message: 'a "b"' }).body;
  assert.equal(body('message'), '{"message":"a \\"b\\""}\n');
  assert.equal(body('error_msg'), '{"error_msg":"a \\"b\\""}\n');
  assert.equal(body('text'), 'a "b"');
  assert.equal(body('gateway'), '{"error_msg":"a \\"b\\""}\n');
  assert.deepEqual(refuse('uri_blocked', { style: 'gateway' }).headers, [['Content-Type', 'application/json']]);
  for (const style of ['message', 'error_msg', 'text'] as const) {
    assert.deepEqual(refuse('uri_blocked', { style }).headers, [['Content-Type', 'text/plain; charset=utf-8']]);
  }
  const empty = refuse('uri_blocked', { style: 'gateway', status: 200 });
  assert.deepEqual([empty.status, empty.body, empty.headers], [200, '', [['Content-Type', 'text/plain; charset=utf-8']]]);
  assert.equal(refuse('uri_blocked', { status: 404 }).status, 404);
  assert.equal(refuse('uri_blocked').status, 403);
});

test('an answer can be shared by all requests, because nobody can change it', () => {
  const answer = refuse('key_missing');
  for (const part of [answer, answer.headers, answer.headers[0]]) assert.ok(Object.isFrozen(part));
});

test('any other answer is a text as it is, or JSON with a newline, typed unless it names its type', () => {
  assert.deepEqual(respond(200, 'hello'), {
    status: 200,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: 'hello',
    reason: undefined,
  });
  assert.deepEqual(respond(201, { a: 1 }, [['content-type', 'application/json']]), {
    status: 201,
    headers: [['content-type', 'application/json']],
    body: '{"a":1}\n',
    reason: undefined,
  });
});
