// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references with braces are tested here.
import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';
import {
  collectBody,
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runHeaderFilter,
  runResponse,
  TestRequest,
  TestResponse,
  type TestResponseOptions,
} from '../../plugin-kit/testing/index.ts';
import { responseRewrite } from './plugin.ts';
import { responseRewriteSchema } from './schema.ts';

async function rewritten(configuration: JsonObject, options: TestResponseOptions = {}, ...chunks: readonly (string | Uint8Array)[]) {
  const response = new TestResponse(options);
  const filter = runResponse(createPlugin(responseRewrite, configuration), new TestRequest({ target: '/a?x=1' }), response);
  return { response, filter, body: (await collectBody(filter, chunks)).toString() };
}

function headersFor(configuration: JsonObject, options: TestResponseOptions = {}, target = '/a?x=1') {
  return runHeaderFilter(createPlugin(responseRewrite, configuration), new TestRequest({ target }), new TestResponse(options)).headers;
}

const OF_BODY = [
  ['Content-Length', '5'],
  ['Content-Encoding', 'identity'],
  ['Last-Modified', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['ETag', '"x"'],
] as const;

test('without anything to change an answer passes as it is', async () => {
  const { response, filter, body } = await rewritten({}, { status: 201, headers: OF_BODY }, 'hello');
  assert.equal(filter, undefined);
  assert.deepEqual([response.status, response.headers, body], [201, OF_BODY, 'hello']);
});

test('the status can be replaced, on answers of every source', async () => {
  for (const source of ['upstream', 'gateway'] as const) {
    const { response } = await rewritten({ status_code: 598 }, { status: 404, source });
    assert.equal(response.status, 598);
  }
});

test('a new body takes the place of the whole old one, whatever its coding', async () => {
  const { body } = await rewritten({ body: '{"code":"ok","message":"é $remote_addr"}' }, {}, 'old', 'body');
  assert.equal(body, '{"code":"ok","message":"é $remote_addr"}');
  const compressed = await rewritten({ body: 'new' }, { headers: [['Content-Encoding', 'zstd']] }, 'old');
  assert.deepEqual([compressed.body, compressed.response.header('content-encoding')], ['new', undefined]);
  assert.equal((await rewritten({ body: '' }, {}, 'old')).body, '');
});

test('a new body can be written in base64, and is bytes then', async () => {
  const response = new TestResponse();
  const filter = runResponse(createPlugin(responseRewrite, { body: 'AP+A', body_base64: true }), new TestRequest(), response);
  assert.deepEqual(await collectBody(filter, ['old']), Buffer.from([0, 255, 128]));
});

test('what was said of the old body goes, even where no filter matches', async () => {
  for (const configuration of [{ body: 'new' }, { filters: [{ regex: 'nothing', replace: '' }] }]) {
    const { response } = await rewritten(configuration, { headers: [...OF_BODY, ['X-A', 'b']] }, 'hello');
    assert.deepEqual(response.headers, [
      ['Content-Length', '5'],
      ['X-A', 'b'],
    ]);
  }
});

test('answers without a body get none', async () => {
  assert.equal((await rewritten({ body: 'new' }, { hasBody: false })).filter, undefined);
  assert.equal((await rewritten({ body: 'new', status_code: 204 })).filter, undefined);
});

test('headers by name are set', () => {
  const headers = { 'X-Server-id': 3, 'X-Empty': '', 'X-Old': 'new' };
  assert.deepEqual(
    headersFor(
      { headers },
      {
        headers: [
          ['x-old', '1'],
          ['x-old', '2'],
          ['X-B', 'b'],
        ],
      },
    ),
    [
      // biome-ignore format: one answer a line
      ['X-B', 'b'],
      ['X-Server-id', '3'],
      ['X-Empty', ''],
      ['X-Old', 'new'],
    ],
  );
});

test('headers are added, then set, then removed', () => {
  const headers = {
    remove: ['X-Gone', 'ETag'],
    set: { 'X-Both': 'set' },
    add: ['Set-Cookie: a=b; Max-Age=60', 'X-Both:added', 'X-Gone : g'],
  };
  assert.deepEqual(
    headersFor(
      { headers },
      {
        headers: [
          ['Set-Cookie', 'c=d'],
          ['ETag', '"x"'],
        ],
      },
    ),
    [
      // biome-ignore format: one answer a line
      ['Set-Cookie', 'c=d'],
      ['Set-Cookie', 'a=b; Max-Age=60'],
      ['X-Both', 'set'],
    ],
  );
});

test('values of headers can hold variables of the request and of the answer', () => {
  const headers = { 'X-A': '$remote_addr $arg_x $status', 'X-B': '$sent_http_x_a|$upstream_http_content_type|$nothing' };
  assert.deepEqual(headersFor({ headers, status_code: 202 }, { headers: [['Content-Type', 'a/b']] }), [
    ['Content-Type', 'a/b'],
    ['X-A', '192.0.2.1 1 202'],
    ['X-B', '192.0.2.1 1 202|a/b|'],
  ]);
});

test('control characters of a client become no header of their own', () => {
  const target = '/?x=1%0D%0ASet-Cookie:%20a';
  assert.deepEqual(headersFor({ headers: { 'X-A': '$arg_x' } }, {}, target), [['X-A', '1%0D%0ASet-Cookie: a']]);
  assert.deepEqual(headersFor({ headers: { add: ['X-A: $arg_x'] } }, {}, target), [['X-A', '1%0D%0ASet-Cookie: a']]);
});

test('vars decide by the answer and by the request whether anything is changed', async () => {
  const configuration = { vars: [['status', '==', 200], ['arg_x', '==', '1']], status_code: 500, body: 'new', headers: { 'X-A': 'b' } }; // biome-ignore format: one rule a line
  const changed = await rewritten(configuration, { status: 200 }, 'old');
  assert.deepEqual([changed.response.status, changed.body, changed.response.headers], [500, 'new', [['X-A', 'b']]]);
  const left = await rewritten(configuration, { status: 404, headers: OF_BODY }, 'old');
  assert.deepEqual([left.response.status, left.body, left.response.headers], [404, 'old', OF_BODY]);
  const byHeader = { vars: [['sent_http_content_type', '~~', '^text/']], body: 'new' };
  assert.equal((await rewritten(byHeader, { headers: [['Content-Type', 'text/html']] }, 'old')).body, 'new');
  assert.equal((await rewritten(byHeader, {}, 'old')).body, 'old');
  assert.equal((await rewritten({ vars: [], body: 'new' }, {}, 'old')).body, 'new');
});

test('filters replace the first match or all, one after the other, across the pieces of a body', async () => {
  const once = { filters: [{ regex: 'hello', replace: 'HELLO' }] };
  assert.equal((await rewritten(once, {}, 'say hel', 'lo hello')).body, 'say HELLO hello');
  const all = { filters: [{ regex: 'l+', replace: 'L', scope: 'global' }, { regex: 'L', replace: '[$0]' }] }; // biome-ignore format: one rule a line
  assert.equal((await rewritten(all, {}, 'hello hello')).body, 'he[L]o heLo');
  assert.equal((await rewritten({ filters: [{ regex: '(\\w+)@(\\w+)', replace: '${2} at $1 $$' }] }, {}, 'a@b')).body, 'b at a $');
});

test('filters see bytes, and leave others as they are', async () => {
  const response = new TestResponse();
  const filter = runResponse(createPlugin(responseRewrite, { filters: [{ regex: 'é', replace: 'ü' }] }), new TestRequest(), response);
  assert.deepEqual(
    await collectBody(filter, [Buffer.from([0xff, 0xc3]), Buffer.from([0xa9, 0x00])]),
    Buffer.from([0xff, 0xc3, 0xbc, 0x00]),
  );
});

test('flags of an expression are those of ngx.re', async () => {
  const body = async (options: string, regex: string) =>
    (await rewritten({ filters: [{ regex, replace: 'X', options }] }, {}, 'a\nB')).body;
  assert.equal(await body('jo', 'b'), 'a\nB');
  assert.equal(await body('ijo', 'b'), 'a\nX');
  assert.equal(await body('s', 'a.'), 'XB');
  assert.equal(await body('m', '^B'), 'a\nX');
});

test('compressed bodies are decoded and sent plain', async () => {
  const configuration = { filters: [{ regex: 'hello', replace: 'bye' }] };
  for (const [coding, bytes] of [
    ['gzip', gzipSync('hello')],
    ['x-gzip', gzipSync('hello')],
    ['br', brotliCompressSync('hello')],
    ['BR ', brotliCompressSync('hello')],
  ] as const) {
    // biome-ignore format: one coding a line
    const { response, body } = await rewritten(configuration, { headers: [['Content-Encoding', coding]] }, bytes.subarray(0, 3), bytes.subarray(3));
    assert.deepEqual([body, response.header('content-encoding')], ['bye', undefined], coding);
  }
});

test('a body in another coding is left as it is, with all that is said of it', async () => {
  const bytes = deflateSync('hello');
  for (const headers of [
    [['Content-Encoding', 'deflate']],
    [
      ['Content-Encoding', 'gzip'],
      ['Content-Encoding', 'br'],
    ],
  ] as const) {
    // biome-ignore format: one answer a line
    const { response, filter } = await rewritten({ filters: [{ regex: 'hello', replace: 'bye' }] }, { headers }, bytes);
    assert.equal(filter, undefined);
    assert.deepEqual(response.headers, headers);
  }
});

test('a body that cannot be rewritten fails, and is not let through', async () => {
  const filters = [{ regex: 'hello', replace: 'bye' }];
  await assert.rejects(rewritten({ filters, max_resp_body_size: 4 }, {}, 'hel', 'lo'), RangeError);
  assert.equal((await rewritten({ filters, max_resp_body_size: 5 }, {}, 'hel', 'lo')).body, 'bye');
  const bomb = gzipSync(Buffer.alloc(100_000));
  await assert.rejects(rewritten({ filters, max_resp_body_size: 50_000 }, { headers: [['Content-Encoding', 'gzip']] }, bomb), RangeError);
  await assert.rejects(rewritten({ filters }, { headers: [['Content-Encoding', 'gzip']] }, 'no gzip'));
  const slow = { filters: [{ regex: '(a|b)+c', replace: '' }] };
  await assert.rejects(rewritten(slow, {}, Buffer.alloc(2 * 1024 * 1024 + 1)), RangeError);
});

test('a filter gives what replacing in the whole text gives, however the body is cut', async () => {
  const configuration = { filters: [{ regex: 'ab+', replace: '<$0>', scope: 'global' }] };
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c') }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(pieces, async (chunks) => {
      const { body } = await rewritten(configuration, {}, ...chunks);
      assert.equal(body, chunks.join('').replaceAll(/ab+/g, '<$&>'));
    }),
  );
});

test('a global rule and a route rewrite the same answer each in its own way', async () => {
  const global = createPlugin(responseRewrite, { filters: [{ regex: 'a', replace: 'b' }], vars: [['status', '==', 200]] });
  const own = createPlugin(responseRewrite, { filters: [{ regex: 'b', replace: 'c' }], status_code: 201 });
  const request = new TestRequest();
  const response = new TestResponse({ status: 404 });
  for (const instance of [global, own]) runHeaderFilter(instance, request, response);
  assert.equal(global.bodyFilter?.(request, response), undefined);
  assert.equal((await collectBody(own.bodyFilter?.(request, response), ['ab'])).toString(), 'ac');
});

test('where the body stays there is no body filter at all', () => {
  assert.equal(createPlugin(responseRewrite, { status_code: 200, headers: { a: 'b' } }).bodyFilter, undefined);
  assert.notEqual(createPlugin(responseRewrite, { body: '' }).bodyFilter, undefined);
});

test('the limits of the configuration are those of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(responseRewriteSchema, configuration);
  assert.equal(errorOf({}), '');
  assert.equal(errorOf({ status_code: 200, body: '', max_resp_body_size: 1 }), '');
  for (const code of [199, 599, 200.5]) assert.match(errorOf({ status_code: code }), /response-rewrite\/status_code"/);
  assert.match(errorOf({ body: 1 }), /must be a string/);
  assert.match(errorOf({ max_resp_body_size: 0 }), /number must be at least 1/);
  assert.equal(
    errorOf({ body: 'a', filters: [{ regex: 'a', replace: 'b' }] }),
    'Error at "/plugins/response-rewrite": value is not allowed',
  );
  const badFilters: readonly JsonValue[] = [
    [],
    [{ regex: 'a' }],
    [{ replace: 'a' }],
    [{ regex: '', replace: 'a' }],
    [{ regex: 'a', replace: 1 }],
    [{ regex: 'a', replace: 'b', scope: 'twice' }],
  ];
  for (const filters of badFilters) assert.match(errorOf({ filters }), /response-rewrite\/filters/, JSON.stringify(filters));
});

test('bodies, expressions and filters are refused with the texts of APISIX', () => {
  const errorOf = (configuration: JsonObject) => configurationError(responseRewriteSchema, configuration);
  for (const more of [{}, { body: '' }, { body: '1' }, { body: 'a*b' }]) {
    assert.equal(errorOf({ body_base64: true, ...more }), 'Error at "/plugins/response-rewrite/body": invalid base64 content');
  }
  for (const body of ['SGVsbG8=', 'SGVsbG8']) assert.equal(errorOf({ body_base64: true, body }), '');
  assert.match(errorOf({ vars: ['x'] }), /response-rewrite\/vars": failed to validate the 'vars' expression: ./);
  assert.match(errorOf({ filters: [{ regex: 'a', replace: '' }, { regex: '(', replace: '' }] }), /filters\/1\/regex": regex "\(" validation failed: ./); // biome-ignore format: one configuration a line
  assert.match(
    errorOf({ filters: [{ regex: 'a', replace: '', options: 'jz' }] }),
    /regex "a" validation failed: the flag "z" is not supported/,
  );
});

test('headers are refused with the texts of APISIX', () => {
  const errorOf = (headers: JsonValue) => configurationError(responseRewriteSchema, { headers });
  for (const headers of [{ a: '' }, { a: 1 }, { add: ['a: b'] }, { set: { a: 'b' }, remove: ['c', 'Server'] }])
    assert.equal(errorOf(headers), '');
  const rows: readonly (readonly [JsonValue, string])[] = [
    ['x', '/headers": value must be an object'],
    [{}, '/headers": there must be at least 1 properties'],
    [{ '': 'x' }, '/headers": invalid field length in header'],
    [{ a: true }, '/headers": invalid type as header value'],
    [{ a: 'b\nc' }, '/headers": invalid value character in header'],
    [{ 'a b': 'c' }, '/headers": value must be the name of a header'],
    [{ 'Content-Length': 1 }, '/headers": the header Content-Length is the gateway\'s own'],
    [{ set: { server: 'x' } }, '/headers/set": the header server is the gateway\'s own'],
    [{ set: {} }, '/headers/set": there must be at least 1 properties'],
    [{ add: [] }, '/headers/add": minimum number of items is 1'],
    [{ add: { a: 'b' } }, '/headers/add": value must be an array'],
    [{ add: ['a: b', 'c'] }, '/headers/add/1": value must be "Name: value" with one colon'],
    [{ add: ['a: b:c'] }, '/headers/add/0": value must be "Name: value" with one colon'],
    [{ add: ['a: b/'] }, '/headers/add/0": value must be "Name: value" with one colon'],
    [{ add: ['a b: c'] }, '/headers/add/0": value must be the name of a header'],
    [{ remove: [] }, '/headers/remove": minimum number of items is 1'],
    [{ remove: ['a:'] }, '/headers/remove/0": invalid field character in header'],
  ];
  for (const [headers, text] of rows) assert.equal(errorOf(headers), `Error at "/plugins/response-rewrite${text}`, JSON.stringify(headers));
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'response-rewrite');
  assert.equal(configurationError(responseRewriteSchema, configuration), '');
  const { response, body } = await rewritten(configuration, { headers: [['Content-Type', 'application/json'], ['X-Powered-By', 'x']] }, '{"password":"1","password":"2"}'); // biome-ignore format: one answer a line
  assert.equal(body, '{"password":"*","password":"*"}');
  assert.deepEqual(response.headers, [
    ['Content-Type', 'application/json'],
    ['X-Route', 'route-1'],
  ]);
});
