import assert from 'node:assert/strict';
import test from 'node:test';
import type { PluginAnswer } from '../../plugin-kit/index.ts';
import { localAnswerOf } from './plugin-answer.ts';

const refusal: PluginAnswer = {
  status: 401,
  headers: [['WWW-Authenticate', 'apikey realm="key"']],
  body: '{"message":"Missing API key in request"}\n',
  reason: 'key_missing',
};

test('a refusal keeps its headers and text and names the request', () => {
  const answer = localAnswerOf(refusal, 'f'.repeat(32));
  assert.equal(answer?.status, 401);
  assert.equal(
    answer?.headerLines.toString('latin1'),
    `WWW-Authenticate: apikey realm="key"\r\nContent-Type: text/plain; charset=utf-8\r\nPortcullis-Request-Id: ${'f'.repeat(32)}\r\n`,
  );
  assert.equal(answer?.body.toString(), refusal.body);
  assert.equal(answer?.reason, 'key_missing');
});

test('an answer made once serves many requests, each with its own id', () => {
  const frozen = Object.freeze({ ...refusal, headers: Object.freeze([...refusal.headers]) });
  const first = localAnswerOf(frozen, '1');
  const second = localAnswerOf(frozen, '2');
  assert.equal(first?.body, second?.body);
  assert.match(first?.headerLines.toString() ?? '', /Portcullis-Request-Id: 1\r\n$/);
  assert.match(second?.headerLines.toString() ?? '', /Portcullis-Request-Id: 2\r\n$/);
});

test('a content type of its own is kept', () => {
  const answer = localAnswerOf({ ...refusal, headers: [['content-type', 'text/html']] }, '1');
  assert.equal(answer?.headerLines.toString(), 'content-type: text/html\r\nPortcullis-Request-Id: 1\r\n');
});

test('what is no answer is refused', () => {
  const broken: readonly unknown[] = [
    null,
    'no',
    {},
    { ...refusal, status: 99 },
    { ...refusal, status: 200.5 },
    { ...refusal, status: '401' },
    { ...refusal, body: undefined },
    { ...refusal, headers: 'x' },
    { ...refusal, reason: 'made-up' },
    { ...refusal, reason: 5 },
    { ...refusal, headers: [['one']] },
    { ...refusal, headers: [['a b', 'x']] },
    { ...refusal, headers: [['X-A', 'x\r\nX-B: y']] },
    { ...refusal, headers: [['X-A', 'naïve ☂']] },
    { ...refusal, headers: [['Content-Length', '3']] },
    { ...refusal, headers: [['transfer-encoding', 'chunked']] },
  ];
  for (const value of broken) assert.equal(localAnswerOf(value as PluginAnswer, '1'), undefined, JSON.stringify(value));
});
