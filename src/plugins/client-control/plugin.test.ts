import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhaseAtOnce,
  TestRequest,
  type TestRequestOptions,
} from '../../plugin-kit/testing/index.ts';
import { clientControl } from './plugin.ts';
import { clientControlSchema } from './schema.ts';

function run(configuration: JsonObject, options: TestRequestOptions) {
  const request = new TestRequest({ method: 'POST', ...options });
  return { answer: runPhaseAtOnce(createPlugin(clientControl, configuration), 'rewrite', request), bodyLimit: request.bodyLimit };
}

test('a body whose length says that it is too large is refused at once', () => {
  assert.deepEqual(run({ max_body_size: 4 }, { body: 'abcde' }).answer, {
    status: 413,
    headers: [['Content-Type', 'application/json']],
    body: '{"error_msg":"request body too large"}\n',
    reason: 'body_too_large',
  });
});

test('a body that fits passes, and is bounded all the same', () => {
  assert.deepEqual(run({ max_body_size: 5 }, { body: 'abcde' }), { answer: undefined, bodyLimit: 5 });
  assert.deepEqual(run({ max_body_size: 5 }, {}), { answer: undefined, bodyLimit: 5 });
});

test('a body of unknown length is bounded while it streams', () => {
  assert.deepEqual(run({ max_body_size: 4 }, { body: 'abcde', chunked: true }), { answer: undefined, bodyLimit: 4 });
});

test('0 lifts every bound, and without the field nothing is touched', () => {
  assert.deepEqual(run({ max_body_size: 0 }, { body: 'abcde' }), { answer: undefined, bodyLimit: Number.POSITIVE_INFINITY });
  assert.deepEqual(run({}, { body: 'abcde' }), { answer: undefined, bodyLimit: undefined });
});

test('the size is an integer from 0', () => {
  for (const size of [0, 1, 2 ** 40]) assert.equal(configurationError(clientControlSchema, { max_body_size: size }), '');
  for (const size of [-1, 1.5, '1', null]) assert.match(configurationError(clientControlSchema, { max_body_size: size }), /max_body_size/);
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'client-control');
  assert.equal(configurationError(clientControlSchema, configuration), '');
  assert.equal(run(configuration, { body: 'x'.repeat(1_048_577) }).answer?.status, 413);
  assert.equal(run(configuration, { body: 'x' }).answer, undefined);
});
