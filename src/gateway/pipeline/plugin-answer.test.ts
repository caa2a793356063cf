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

test('a refusal keeps its headers and text', () => {
  const answer = localAnswerOf(refusal);
  assert.equal(answer?.status, 401);
  assert.equal(
    answer?.headerLines.toString('latin1'),
    `WWW-Authenticate: apikey realm="key"\r\nContent-Type: text/plain; charset=utf-8\r\n`,
  );
  assert.equal(answer?.body.toString(), refusal.body);
  assert.equal(answer?.reason, 'key_missing');
});

test('an answer made once serves many requests', () => {
  const frozen = Object.freeze({ ...refusal, headers: Object.freeze([...refusal.headers]) });
  assert.ok(localAnswerOf(frozen) !== undefined);
  assert.equal(localAnswerOf(frozen), localAnswerOf(frozen));
});

test('a content type of its own is kept', () => {
  const answer = localAnswerOf({ ...refusal, headers: [['content-type', 'text/html']] });
  assert.equal(answer?.headerLines.toString(), 'content-type: text/html\r\n');
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
  for (const value of broken) assert.equal(localAnswerOf(value as PluginAnswer), undefined, JSON.stringify(value));
});

test('an error without a reason of its own has one all the same', () => {
  const reasonOf = (status: number) => localAnswerOf({ status, headers: [], body: '', reason: undefined })?.reason;
  assert.deepEqual([200, 302, 400, 403, 503].map(reasonOf), [undefined, undefined, 'plugin_answer', 'plugin_answer', 'plugin_answer']);
});
