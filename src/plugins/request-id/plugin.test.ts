import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runHeaderFilter,
  runPhaseAtOnce,
  TestRequest,
  TestResponse,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { requestId } from './plugin.ts';
import { requestIdSchema } from './schema.ts';

/** The id that an upstream gets, and the one that the client gets. */
function ids(configuration: JsonObject, request = new TestRequest(), response = new TestResponse(), header = 'x-request-id') {
  const instance = createPlugin(requestId, configuration);
  assert.equal(runPhaseAtOnce(instance, 'rewrite', request), undefined);
  runHeaderFilter(instance, request, response);
  return { sent: request.header(header), answered: response.headerValues(header), variable: request.variable('apisix_request_id') };
}

const UUID_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a request without an id gets one, which the upstream, the client and variables see', () => {
  const { sent, answered, variable } = ids({});
  assert.match(sent ?? '', UUID_4);
  assert.deepEqual(answered, [sent]);
  assert.equal(variable, sent);
});

test('the header is spelled as configured', () => {
  const instance = createPlugin(requestId, { header_name: 'X-Trace' });
  const request = new TestRequest();
  runPhaseAtOnce(instance, 'rewrite', request);
  assert.deepEqual(request.upstreamHead().headers.at(-1)?.[0], 'X-Trace');
  assert.equal(request.header('x-request-id'), undefined);
  assert.equal(runHeaderFilter(instance, request).headers.at(-1)?.[0], 'X-Trace');
});

test('an id of the client is kept whatever it is, an empty one is none', () => {
  for (const id of ['7', 'no id at all', '\xe4\xf6', 'x'.repeat(3000)]) {
    const { sent, answered, variable } = ids({}, new TestRequest({ headers: [['X-Request-ID', id]] }));
    assert.deepEqual([sent, answered, variable], [id, [id], id]);
  }
  const two = new TestRequest({ headers: [['x-request-id', 'first'], ['x-request-id', 'second']] }); // biome-ignore format: one request
  assert.deepEqual(ids({}, two).answered, ['first']);
  assert.deepEqual(two.headerValues('x-request-id'), ['first', 'second']);
  assert.match(ids({}, new TestRequest({ headers: [['x-request-id', '']] })).sent ?? '', UUID_4);
});

test('an id that the answer carries already stays, an empty one is replaced', () => {
  const response = (id: string) => new TestResponse({ headers: [['x-request-id', id]] });
  assert.deepEqual(ids({}, new TestRequest(), response('theirs')).answered, ['theirs']);
  const { sent, answered } = ids({}, new TestRequest(), response(''));
  assert.deepEqual(answered, [sent]);
});

test('the answer carries no id where it is not wanted, or where the request never came by', () => {
  assert.deepEqual(ids({ include_in_response: false }).answered, []);
  assert.match(ids({ include_in_response: false }).sent ?? '', UUID_4);
  const response = runHeaderFilter(createPlugin(requestId, {}), new TestRequest(), new TestResponse({ source: 'gateway' }));
  assert.deepEqual(response.headers, []);
});

test('two configurations with headers of their own both work on one request', () => {
  const setup = testSetup();
  const instances = ['X-Request-Id', 'X-Trace'].map((name) => createPlugin(requestId, { header_name: name }, setup));
  const request = new TestRequest();
  const response = new TestResponse();
  for (const instance of instances) runPhaseAtOnce(instance, 'rewrite', request);
  for (const instance of instances) instance.headerFilter?.(request, response);
  assert.notEqual(request.header('x-request-id'), request.header('x-trace'));
  for (const name of ['x-request-id', 'x-trace']) assert.equal(response.header(name), request.header(name));
});

test('each algorithm makes ids of its own form, and another one each time', () => {
  const forms: ReadonlyArray<readonly [JsonObject, RegExp]> = [
    [{ algorithm: 'uuid' }, UUID_4],
    [{ algorithm: 'uuidv7' }, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    [{ algorithm: 'nanoid' }, /^[-_0-9a-zA-Z]{21}$/],
    [{ algorithm: 'ksuid' }, /^[0-9a-zA-Z]{27}$/],
    [{ algorithm: 'range_id' }, /^[a-zA-IK-Z0-9]{16}$/],
    [{ algorithm: 'range_id', range_id: {} }, /^[a-zA-IK-Z0-9]{16}$/],
    [{ algorithm: 'range_id', range_id: { length: 6, char_set: 'abcdef' } }, /^[a-f]{6}$/],
    [{ algorithm: 'range_id', range_id: { length: 30 } }, /^[a-zA-IK-Z0-9]{30}$/],
  ];
  for (const [configuration, form] of forms) {
    const instance = createPlugin(requestId, configuration);
    const made = Array.from({ length: 200 }, () => {
      const request = new TestRequest();
      runPhaseAtOnce(instance, 'rewrite', request);
      return request.header('x-request-id') ?? '';
    });
    for (const id of made) assert.match(id, form);
    assert.ok(new Set(made).size > 190);
  }
});

test('every character of a set comes, characters beyond ASCII whole', () => {
  const instance = createPlugin(requestId, { algorithm: 'range_id', range_id: { length: 500, char_set: 'aäb日c😀' } });
  const request = new TestRequest();
  runPhaseAtOnce(instance, 'rewrite', request);
  const characters = [...Buffer.from(request.header('x-request-id') ?? '', 'latin1').toString('utf8')];
  assert.equal(characters.length, 500);
  assert.deepEqual([...new Set(characters)].sort(), ['a', 'b', 'c', 'ä', '日', '😀'].sort());
});

test('the name of the header, the algorithm and the range have bounds', () => {
  const errorOf = (configuration: JsonObject) => configurationError(requestIdSchema, configuration);
  const good: readonly JsonObject[] = [
    {},
    { header_name: 'x', include_in_response: false, algorithm: 'ksuid' },
    { range_id: { length: 6, char_set: 'abcdef' } },
    { range_id: { length: 1024 } },
    { range_id: {} },
    { unknown: 1 },
  ];
  for (const configuration of good) assert.equal(errorOf(configuration), '');
  const bad: ReadonlyArray<readonly [JsonObject, RegExp]> = [
    [{ header_name: 1 }, /header_name"/],
    [{ header_name: '' }, /header_name": value must be the name of a header/],
    [{ header_name: 'a b' }, /header_name"/],
    [{ header_name: 'a\r\nb' }, /header_name"/],
    [{ header_name: 'Content-Length' }, /header_name": the header Content-Length is the gateway's own/],
    [{ include_in_response: 'yes' }, /include_in_response"/],
    [{ algorithm: 'uuid4' }, /algorithm"/],
    [{ range_id: { length: 5 } }, /range_id\/length": /],
    [{ range_id: { length: 6.5 } }, /range_id\/length": /],
    [{ range_id: { length: 1025 } }, /range_id\/length": value must be <= 1024/],
    [{ range_id: { char_set: 'abcde' } }, /range_id\/char_set": minimum string length is 6/],
    [{ range_id: { char_set: 'abc def' } }, /range_id\/char_set"/],
    [{ range_id: { char_set: 'abcdef\n' } }, /range_id\/char_set"/],
    [{ range_id: 16 }, /range_id"/],
  ];
  for (const [configuration, message] of bad) assert.match(errorOf(configuration), message, JSON.stringify(configuration));
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'request-id');
  assert.equal(configurationError(requestIdSchema, configuration), '');
  assert.match(ids(configuration, new TestRequest(), new TestResponse(), 'x-trace-id').sent ?? '', /^[0-9a-f]{8}$/);
});
