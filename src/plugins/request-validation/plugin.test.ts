import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhase,
  TestRequest,
  type TestRequestOptions,
} from '../../plugin-kit/testing/index.ts';
import { measureJson } from './measure-json.ts';
import { requestValidation } from './plugin.ts';
import { readForm } from './read-form.ts';
import { readJson } from './read-json.ts';
import { requestValidationSchema } from './schema.ts';

const BODY_SCHEMA = { type: 'object', required: ['a'], properties: { a: { type: 'string' } } };

async function run(configuration: JsonObject, options: TestRequestOptions) {
  const request = new TestRequest({ method: 'POST', ...options });
  const answer = await runPhase(createPlugin(requestValidation, configuration), 'rewrite', request);
  return { answer, request };
}

async function textFor(configuration: JsonObject, options: TestRequestOptions): Promise<string | undefined> {
  return (await run(configuration, options)).answer?.body;
}

const form = (body: string): TestRequestOptions => ({ headers: [['Content-Type', 'application/x-www-form-urlencoded']], body });

test('a body that matches passes, whatever its type says, and reaches the upstream byte for byte', async () => {
  for (const type of [[], [['Content-Type', 'application/json']], [['Content-Type', 'text/plain']]] as const) {
    const body = '{ "a": "x",  "n": 12345678901234567890 }';
    const { answer, request } = await run({ body_schema: BODY_SCHEMA }, { headers: type, body });
    assert.equal(answer, undefined);
    assert.equal(request.upstreamBody()?.toString(), body);
  }
});

test('what is wrong with a body is told as text with status 400', async () => {
  const { answer } = await run({ body_schema: BODY_SCHEMA }, { body: '{"a":1}' });
  assert.deepEqual(answer, {
    status: 400,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: 'property "a" validation failed: wrong type: expected string, got number',
    reason: 'request_invalid',
  });
});

test('status and text of the refusal can be configured', async () => {
  const configuration = { body_schema: BODY_SCHEMA, rejected_code: 422, rejected_msg: 'customized message' };
  for (const options of [{ body: '{}' }, { body: 'x' }, {}]) {
    const { answer } = await run(configuration, options);
    assert.deepEqual(
      [answer?.status, answer?.body, answer?.headers],
      [422, 'customized message', [['Content-Type', 'text/plain; charset=utf-8']]],
    );
  }
});

test('no body, one that is too large and a repeated Content-Type are refused with the gateway’s own error', async () => {
  const repeated: TestRequestOptions = {
    headers: [
      ['Content-Type', 'application/json'],
      ['Content-Type', 'application/json'],
    ],
    body: '{"a":"x"}',
  };
  const large = `{"a":"${'x'.repeat(100)}"}`;
  for (const options of [{}, { method: 'GET' }, { body: '' }, { body: large }, { body: large, chunked: true }, repeated]) {
    const { answer } = await run({ body_schema: BODY_SCHEMA, max_req_body_size: 50 }, options);
    assert.deepEqual(answer, {
      status: 400,
      headers: [['Content-Type', 'application/json']],
      body: '{"error_msg":"the request is not valid"}\n',
      reason: 'request_invalid',
    });
  }
  assert.equal(await textFor({ body_schema: BODY_SCHEMA, max_req_body_size: 9 }, { body: '{"a":"x"}' }), undefined);
});

test('text that is no JSON is refused', async () => {
  const bodies = ['x', '{"a":"x"', '{"a":"x"}}', "{'a':'x'}", '\ufeff{"a":"x"}', Buffer.from('{"a":"\xff"}', 'latin1')];
  for (const body of bodies) assert.equal(await textFor({ body_schema: BODY_SCHEMA }, { body }), 'the request body is not valid JSON');
});

test('a body that would hold up a worker is refused before it is parsed', async () => {
  assert.equal(
    await textFor({ body_schema: {} }, { body: `[${'0,'.repeat(500_000)}0]` }),
    'the request body holds more than 500000 JSON values',
  );
  assert.equal(await textFor({ body_schema: {} }, { body: '['.repeat(100_000) }), 'the request body is nested more than 128 levels deep');
  assert.equal(await textFor({ body_schema: {} }, { body: `${'['.repeat(128)}${']'.repeat(128)}` }), undefined);
  assert.equal(await textFor({ body_schema: {} }, { body: `"${',['.repeat(600_000)}"` }), undefined, 'what stands in a text is no value');
});

test('a body that others may read in another way is written anew, as it was validated', async () => {
  const { answer, request } = await run({ body_schema: BODY_SCHEMA }, { body: '{"a":1,"a":"x"}' });
  assert.equal(answer, undefined);
  assert.equal(request.upstreamBody()?.toString(), '{"a":"x"}');
});

test('defaults of the schema reach the upstream', async () => {
  const schema = { properties: { b: { default: 7 }, list: { items: [{}, { default: 'y' }] } } };
  const { request } = await run({ body_schema: schema }, { body: '{"list":[1]}' });
  assert.deepEqual(JSON.parse(request.upstreamBody()?.toString() ?? ''), { list: [1, 'y'], b: 7 });
});

test('a form is an object of texts, and is left as it is', async () => {
  const schema = {
    ...BODY_SCHEMA,
    properties: { a: { type: 'string', enum: ['x y'] }, b: { type: 'array' } },
    additionalProperties: { type: 'boolean' },
  };
  const { answer, request } = await run({ body_schema: schema }, form('a=x+y&b=1&b=2&flag'));
  assert.equal(answer, undefined);
  assert.equal(request.upstreamBody()?.toString(), 'a=x+y&b=1&b=2&flag');
  assert.equal(await textFor({ body_schema: BODY_SCHEMA }, form('b=1')), 'property "a" is required');
  assert.equal(
    await textFor({ body_schema: { properties: { n: { type: 'number' } } } }, form('n=1')),
    'property "n" validation failed: wrong type: expected number, got string',
  );
  const typed: TestRequestOptions = { headers: [['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']], body: 'a=1' };
  assert.equal(await textFor({ body_schema: BODY_SCHEMA }, typed), undefined);
});

test('forms are read as ngx.decode_args does', () => {
  assert.deepEqual(
    { ...readForm(Buffer.from('a=%C3%A9&b=&c&d=1&d=2&d&=x&&e%20f=%zz')) },
    {
      a: 'é',
      b: '',
      c: true,
      d: ['1', '2', true],
      'e f': '%zz',
    },
  );
  assert.deepEqual(Object.keys(readForm(Buffer.from('__proto__=1&constructor=2')) ?? {}), ['__proto__', 'constructor']);
  assert.equal(readForm(Buffer.from('a=1&'.repeat(10_001))), undefined);
});

test('headers are an object with names in lower case, with a list where one is repeated', async () => {
  const schema = { type: 'object', required: ['x-a'], properties: { 'x-a': { type: 'string', pattern: '^é$' }, 'x-b': { type: 'array' } } };
  const run = (headers: readonly (readonly [string, string])[]) => textFor({ header_schema: schema }, { method: 'GET', headers });
  assert.equal(await run([['X-A', '\xc3\xa9'], ['x-b', '1'], ['X-B', '2']]), undefined); // biome-ignore format: one request a line
  assert.equal(await run([]), 'property "x-a" is required');
  assert.equal(await run([['x-a', '\xc3\xa9'], ['x-b', '1']]), 'property "x-b" validation failed: wrong type: expected array, got string'); // biome-ignore format: one request a line
});

test('the headers come first, and decide at once', () => {
  const instance = createPlugin(requestValidation, { header_schema: { required: ['x'] }, body_schema: BODY_SCHEMA });
  const answer = instance.rewrite?.(new TestRequest({ method: 'POST', body: '{}' }));
  assert.ok(answer !== undefined && !(answer instanceof Promise));
  assert.equal(answer.body, 'property "x" is required');
});

test('without a schema for it the body is not read', async () => {
  const { request } = await run({ header_schema: {} }, { body: 'x' });
  assert.deepEqual(request.bodyReads, []);
});

test('the limits of the configuration are those of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(requestValidationSchema, configuration);
  assert.equal(errorOf({ header_schema: {} }), '');
  assert.equal(errorOf({ body_schema: BODY_SCHEMA, max_req_body_size: 1, rejected_code: 599, rejected_msg: 'x'.repeat(256) }), '');
  assert.match(errorOf({}), /doesn't match any schema from "anyOf"/);
  assert.match(errorOf({ body_schema: [] }), /must be an object/);
  const bad: readonly JsonObject[] = [
    { max_req_body_size: 0 },
    { rejected_code: 199 },
    { rejected_code: 600 },
    { rejected_msg: '' },
    { rejected_msg: 'x'.repeat(257) },
  ];
  for (const more of bad) assert.match(errorOf({ body_schema: {}, ...more }), /request-validation\/(?:max_req_body_size|rejected)/);
});

test('a schema that does not compile is refused on write, with a pointer to it', () => {
  for (const field of ['header_schema', 'body_schema']) {
    const error = configurationError(requestValidationSchema, { [field]: { properties: { a: { type: 'text' } } } });
    assert.match(error, new RegExp(`^Error at "/plugins/request-validation/${field}": .`));
  }
});

test('what is measured of JSON text is what parsing finds', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
      const bytes = Buffer.from(JSON.stringify(value, undefined, indent));
      const { values, depth } = measureJson(bytes, 1e9, 1e9);
      assert.ok(values >= valueCount(value));
      assert.equal(depth, depthOf(value));
      const read = readJson(bytes);
      assert.ok(read.kind === 'json' && !read.ambiguous);
    }),
  );
});

function valueCount(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((count: number, item) => count + valueCount(item), 1);
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'request-validation');
  assert.equal(configurationError(requestValidationSchema, configuration), '');
  const headers = [['X-Tenant', 'acme']] as const;
  assert.equal(await textFor(configuration, { headers, body: '{"item":"book","count":1}' }), undefined);
  assert.equal(
    await textFor(configuration, { headers, body: '{"item":"book","count":0}' }),
    'property "count" validation failed: expected 0 to be at least 1',
  );
  assert.equal(await textFor(configuration, { body: '{"item":"book","count":1}' }), 'property "x-tenant" is required');
});
