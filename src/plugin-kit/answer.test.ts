import assert from 'node:assert/strict';
import test from 'node:test';
import { refuse, respond } from './index.ts';

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
