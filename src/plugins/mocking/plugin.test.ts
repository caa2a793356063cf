import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject, PluginAnswer } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhase,
  runPhaseAtOnce,
  TestRequest,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { mocking } from './plugin.ts';
import { mockingSchema } from './schema.ts';

const TYPE = ['Content-Type', 'application/json;charset=utf8'];
const MOCKED = ['x-mock-by', 'APISIX/0.0.0-test'];

function answerOf(configuration: JsonObject, request = new TestRequest({ target: '/orders?a=1' })): PluginAnswer {
  const answer = runPhaseAtOnce(createPlugin(mocking, configuration), 'access', request);
  assert.ok(answer !== undefined, 'mocking always answers');
  return answer;
}

function made(properties: JsonObject, more: JsonObject = {}): string {
  return answerOf({ response_schema: { type: 'object', properties }, ...more }).body;
}

test('the example is the answer, with variables filled in', () => {
  assert.deepEqual(answerOf({ response_example: '{"a":"$arg_a","uri":"$uri","x":"$none"} ä' }), {
    status: 200,
    headers: [TYPE, MOCKED],
    body: '{"a":"1","uri":"/orders","x":""} ä',
    reason: undefined,
  });
  assert.equal(answerOf({ response_example: '' }).body, '');
});

test('status and type are those that are configured, to the letter', () => {
  const answer = answerOf({ response_example: 'x', response_status: 404, content_type: 'text/plain; charset=ISO-8859-1; a=b' });
  assert.deepEqual([answer.status, answer.headers[0]], [404, ['Content-Type', 'text/plain; charset=ISO-8859-1; a=b']]);
});

test('the header that tells of it can be left out, and others are added', () => {
  const configuration = { response_example: 'x', with_mock_header: false, response_headers: { 'X-A': 'a=$arg_a', 'x-n': 7 } };
  assert.deepEqual(answerOf(configuration).headers, [TYPE, ['X-A', 'a=1'], ['x-n', '7']]);
  const again = answerOf({ response_example: 'x', response_headers: { 'x-mock-by': 'me', 'Content-Type': 'a/b' } });
  assert.deepEqual(again.headers, [TYPE, MOCKED, ['x-mock-by', 'me'], ['Content-Type', 'a/b']]);
});

test('an answer without variables is made once', () => {
  const instance = createPlugin(mocking, { response_example: 'x', response_headers: { a: 'b' } });
  assert.equal(runPhaseAtOnce(instance, 'access', new TestRequest()), runPhaseAtOnce(instance, 'access', new TestRequest()));
});

test('an example wins over a schema', () => {
  assert.equal(answerOf({ response_example: 'x', response_schema: { type: 'object' } }).body, 'x');
});

test('examples in a schema are taken where they have its type', () => {
  assert.equal(made({ field1: { type: 'string', example: 'hello' } }), '{"field1":"hello"}');
  assert.equal(made({ field1: { type: 'integer', example: 4.9 } }), '{"field1":4}');
  assert.equal(made({ field1: { type: 'number', example: 5.5 } }), '{"field1":5.5}');
  assert.equal(made({ field1: { type: 'boolean', example: true } }), '{"field1":true}');
  assert.equal(made({ field1: { type: 'object' } }), '{"field1":{}}');
  assert.equal(made({ a: { type: 'STRING', example: '$arg_a' }, b: { type: 'array' }, c: {}, d: { type: 'null' }, e: 7 }), '{"a":"1"}');
  assert.equal(answerOf({ response_schema: { type: 'array', items: { type: 'string' } } }).body, '{}');
  assert.equal(answerOf({ response_schema: {} }).body, '{}');
});

test('without an example a value is made up, within the bounds of its type', () => {
  const properties = {
    text: { type: 'string', example: 1 },
    number: { type: 'number', example: 'x' },
    integer: { type: 'integer' },
    boolean: { type: 'boolean', example: 'true' },
    list: { type: 'array', items: { type: 'array', items: { type: 'integer', example: 1 } } },
    object: { type: 'object', properties: { inner: { type: 'array', items: { type: 'object' } } } },
  };
  const instance = createPlugin(mocking, { response_schema: { properties } });
  const seen = { lengths: new Set<number>(), booleans: new Set<boolean>(), counts: new Set<number>() };
  for (let round = 0; round < 300; round++) {
    const value = JSON.parse(runPhaseAtOnce(instance, 'access', new TestRequest())?.body ?? '');
    assert.deepEqual(Object.keys(value), Object.keys(properties));
    assert.match(value.text, /^[a-z]{1,10}$/);
    assert.ok(value.number >= 0 && value.number < 10_000);
    assert.ok(Number.isInteger(value.integer) && value.integer >= 1 && value.integer <= 10_000);
    assert.ok([value.list.length, value.list[0].length, value.object.inner.length].every((count) => count >= 1 && count <= 3));
    seen.lengths.add(value.text.length);
    seen.booleans.add(value.boolean);
    seen.counts.add(value.list.length);
  }
  assert.deepEqual([seen.lengths.size, seen.booleans.size, seen.counts.size], [10, 2, 3]);
});

test('arrays in arrays do not grow without end', () => {
  let items: JsonObject = { type: 'integer', example: 1 };
  for (let depth = 0; depth < 30; depth++) items = { type: 'array', items };
  assert.ok(made({ list: items }).length < 100_000);
});

test('XML has one root, text is escaped, and a list is an element for each item', () => {
  const properties = {
    a: { type: 'string', example: '<&>' },
    'no name': { type: 'integer', example: 1 },
    '1': { type: 'boolean', example: false },
    inner: { type: 'object', properties: { b: { type: 'number', example: 0.5 } } },
  };
  const expected = '<data><_1>false</_1><a>&lt;&amp;&gt;</a><no_name>1</no_name><inner><b>0.5</b></inner></data>';
  for (const type of ['application/xml', 'text/xml; charset=utf-8']) assert.equal(made(properties, { content_type: type }), expected);
  const list = made({ x: { type: 'array', items: { type: 'integer', example: 7 } } }, { content_type: 'text/xml' });
  assert.match(list, /^<data>(?:<x>7<\/x>){1,3}<\/data>$/);
});

test('plain text from a schema is JSON, HTML is empty', () => {
  const properties = { a: { type: 'integer', example: 1 } };
  assert.equal(made(properties, { content_type: 'text/plain' }), '{"a":1}');
  assert.equal(made(properties, { content_type: 'text/html' }), '');
});

test('a delay lets the request wait; none, and one below none, does not', async () => {
  const setup = testSetup();
  const slow = runPhase(createPlugin(mocking, { delay: 2, response_example: 'x' }, setup), 'access', new TestRequest());
  assert.ok(slow instanceof Promise);
  let answered = false;
  void slow.then(() => {
    answered = true;
  });
  setup.clock.advance(1999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answered, false);
  setup.clock.advance(1);
  assert.equal((await slow)?.body, 'x');
  assert.equal(answerOf({ delay: -1, response_example: 'x' }).body, 'x');
});

test('fields have the bounds of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(mockingSchema, configuration);
  const good: readonly JsonObject[] = [
    { response_example: '' },
    { response_schema: {} },
    { response_example: 'x', delay: -1, response_status: 599, with_mock_header: false, response_headers: { a: 1 }, more: 1 },
    ...['application/json', 'application/xml;a', 'text/plain ; b', 'text/html', 'TEXT/XML'].map((content_type) => ({
      response_example: '',
      content_type,
    })),
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '', JSON.stringify(configuration));
  assert.match(errorOf({}), /response_example/);
  assert.match(errorOf({ response_status: 200 }), /response_example/);
  const bad: ReadonlyArray<readonly [JsonObject, RegExp]> = [
    [{ delay: 0.5 }, /delay"/],
    [{ response_status: 99 }, /response_status"/],
    [{ response_status: 100 }, /response_status": an answer has a status from 200 to 599/],
    [{ response_status: 600 }, /response_status": an answer has a status from 200 to 599/],
    [{ response_status: '200' }, /response_status"/],
    [{ content_type: 'image/png' }, /content_type": unsupported content type!$/],
    [{ content_type: '' }, /content_type": unsupported content type!$/],
    [{ content_type: 'text/plain;\r\nX: y' }, /content_type": unsupported content type!$/],
    [{ response_example: {} }, /response_example"/],
    [{ response_schema: 'x' }, /response_schema"/],
    [{ with_mock_header: 1 }, /with_mock_header"/],
    [{ response_headers: {} }, /response_headers"/],
    [{ response_headers: { a: [] } }, /response_headers\/a"/],
    [{ response_headers: { 'a:b': 'c' } }, /response_headers/],
    [{ response_headers: { Connection: 'close' } }, /response_headers": the header Connection is the gateway's own/],
  ];
  for (const [configuration, message] of bad)
    assert.match(errorOf({ response_example: 'x', ...configuration }), message, JSON.stringify(configuration));
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'mocking');
  assert.equal(configurationError(mockingSchema, configuration), '');
  const answer = answerOf(configuration, new TestRequest({ remoteAddress: '192.0.2.7' }));
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.headers.at(-1), ['X-Caller', '192.0.2.7']);
  assert.match(answer.body, /^\{"id":\d+,"name":"an order","tags":\[("[a-z]+",?){1,3}\]\}$/);
});
