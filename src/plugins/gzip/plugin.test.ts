import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  collectBody,
  configurationError,
  createPlugin,
  type HeaderLines,
  runHeaderFilter,
  runResponse,
  TestRequest,
  type TestRequestOptions,
  TestResponse,
  type TestResponseOptions,
} from '../../plugin-kit/testing/index.ts';
import { gzip } from './plugin.ts';
import { gzipSchema } from './schema.ts';

const ACCEPTS: HeaderLines = [['Accept-Encoding', 'gzip']];
const HTML: HeaderLines = [['Content-Type', 'text/html; charset=utf-8']];
const PAGE = '<p>Hello</p>'.repeat(100);

interface Outcome {
  readonly response: TestResponse;
  readonly isCompressed: boolean;
  readonly vary: readonly string[];
}

/** What becomes of the head of an answer. */
function outcome(configuration: JsonObject, response: TestResponseOptions = {}, request: TestRequestOptions = {}): Outcome {
  const head = new TestResponse({ headers: HTML, ...response });
  runHeaderFilter(createPlugin(gzip, configuration), new TestRequest({ headers: ACCEPTS, ...request }), head);
  return { response: head, isCompressed: head.header('content-encoding') === 'gzip', vary: head.headerValues('vary') };
}

/** What the client gets of a body in these pieces. */
async function bodyOf(configuration: JsonObject, headers: HeaderLines, pieces: readonly (string | Uint8Array)[], source?: 'gateway') {
  const response = new TestResponse({ headers, ...(source === undefined ? {} : { source }) });
  const filter = runResponse(createPlugin(gzip, configuration), new TestRequest({ headers: ACCEPTS }), response);
  assert.ok(filter);
  return collectBody(filter, pieces);
}

test('an answer is compressed, and its head says so', async () => {
  const { response } = outcome({}, { headers: [...HTML, ['ETag', '"abc"'], ['Accept-Ranges', 'bytes']] });
  assert.deepEqual(response.headers, [
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Content-Encoding', 'gzip'],
    ['ETag', 'W/"abc"'],
  ]);
  assert.equal(gunzipSync(await bodyOf({}, [...HTML, ['Content-Length', `${PAGE.length}`]], [PAGE])).toString(), PAGE);
});

test('short bodies, long ones and those of unknown length come out right, in whatever pieces they come', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.uint8Array({ maxLength: 30_000 }), { maxLength: 6 }),
    fc.constantFrom('known', 'unknown', 'wrong'),
    fc.constantFrom(1, 6, 9),
    async (pieces, length, comp_level) => {
      const whole = Buffer.concat(pieces);
      const said = length === 'known' ? whole.length : 20;
      const lines: HeaderLines = length === 'unknown' ? HTML : [...HTML, ['Content-Length', `${Math.max(20, said)}`]];
      assert.deepEqual(gunzipSync(await bodyOf({ comp_level }, lines, pieces)), whole);
    },
  );
  await fc.assert(property, { numRuns: 50 });
});

test('a body of a megabyte is compressed piece by piece, in bounded memory', async () => {
  const piece = Buffer.alloc(16 * 1024, 'abcdefgh');
  const length: HeaderLines = [['Content-Length', `${64 * piece.length}`]];
  const coded = await bodyOf(
    {},
    [...HTML, ...length],
    Array.from({ length: 64 }, () => piece),
  );
  assert.ok(coded.length < 64 * 1024);
  assert.equal(gunzipSync(coded).length, 64 * piece.length);
});

test('what is written of a body of unknown length comes out before more is written', async () => {
  const filter = runResponse(createPlugin(gzip, {}), new TestRequest({ headers: ACCEPTS }), new TestResponse({ headers: HTML }));
  assert.ok(filter);
  const pushed: Buffer[] = [];
  await filter.write(Buffer.from('data: first\n\n'), (bytes) => pushed.push(Buffer.from(bytes)));
  const { constants } = await import('node:zlib');
  assert.equal(gunzipSync(Buffer.concat(pushed), { finishFlush: constants.Z_SYNC_FLUSH }).toString(), 'data: first\n\n');
  await filter.end(() => {});
});

test('an answer of the gateway is compressed too, an empty one as well', async () => {
  assert.equal(gunzipSync(await bodyOf({}, HTML, [PAGE], 'gateway')).toString(), PAGE);
  assert.equal(gunzipSync(await bodyOf({ comp_level: 9 }, HTML, [PAGE.repeat(100)], 'gateway')).length, PAGE.length * 100);
  assert.equal(gunzipSync(await bodyOf({}, HTML, [], 'gateway')).length, 0);
});

test('only listed types are compressed: compared exactly with what stands before the semicolon', () => {
  const withType = (types: JsonObject, type: string | undefined) =>
    outcome(types, { headers: type === undefined ? [] : [['Content-Type', type]] }).isCompressed;
  assert.equal(withType({}, 'text/html'), true);
  assert.equal(withType({}, 'text/plain'), false);
  assert.equal(withType({}, 'TEXT/HTML'), false);
  assert.equal(withType({}, 'text/html+x'), false);
  assert.equal(withType({ types: ['application/json', 'text/css'] }, 'text/css;x=y'), true);
  assert.equal(withType({ types: ['application/json', 'text/css'] }, 'text/html'), false);
  assert.equal(withType({ types: '*' }, 'image/x-odd'), true);
  assert.equal(withType({ types: '*' }, undefined), false);
});

test('an answer that is known to be short is not compressed', () => {
  const withLength = (length: string, configuration: JsonObject = {}) =>
    outcome(configuration, { headers: [...HTML, ['Content-Length', length]] }).isCompressed;
  assert.equal(withLength('19'), false);
  assert.equal(withLength('20'), true);
  assert.equal(withLength('99', { min_length: 100 }), false);
  assert.equal(withLength('0', { min_length: 1 }), false);
  assert.equal(outcome({ min_length: 1000 }).isCompressed, true);
});

test('clients of HTTP/1.0 get compressed answers only where that is configured', () => {
  assert.equal(outcome({}, {}, { minorVersion: 0 }).isCompressed, false);
  assert.equal(outcome({ http_version: 1.1 }, {}, { minorVersion: 0 }).isCompressed, false);
  assert.equal(outcome({ http_version: 1.0 }, {}, { minorVersion: 0 }).isCompressed, true);
  assert.equal(outcome({ http_version: 1.0 }).isCompressed, true);
});

test('a client that does not accept gzip gets the answer as it is', () => {
  for (const headers of [[], [['Accept-Encoding', 'br, gzip;q=0']]] as const) {
    const { response } = outcome({}, { headers: [...HTML, ['ETag', '"a"'], ['Content-Length', '500']] }, { headers });
    assert.deepEqual(response.headers, [...HTML, ['ETag', '"a"'], ['Content-Length', '500']]);
  }
});

test('an answer with a coding already is left alone, whatever that is', () => {
  for (const coding of ['br', 'gzip', 'identity', '']) {
    const headers: HeaderLines = [...HTML, ['Content-Encoding', coding]];
    assert.deepEqual(outcome({ vary: true }, { headers }).response.headers, headers);
  }
});

test('Vary is added once all conditions but the client are met', () => {
  const deaf: TestRequestOptions = { headers: [] };
  assert.deepEqual(outcome({ vary: true }).vary, ['Accept-Encoding']);
  assert.deepEqual(outcome({ vary: true }, {}, deaf).vary, ['Accept-Encoding']);
  assert.equal(outcome({ vary: true }, {}, deaf).isCompressed, false);
  assert.deepEqual(outcome({}).vary, []);
  assert.deepEqual(outcome({ vary: false }).vary, []);
  assert.deepEqual(outcome({ vary: true }, { headers: [['Content-Type', 'image/png']] }).vary, []);
  assert.deepEqual(outcome({ vary: true }, { headers: [...HTML, ['Vary', 'Origin']] }).vary, ['Origin', 'Accept-Encoding']);
  assert.deepEqual(outcome({ vary: true }, { headers: [...HTML, ['Vary', 'Origin, accept-encoding']] }).vary, ['Origin, accept-encoding']);
  assert.deepEqual(outcome({ vary: true }, { headers: [...HTML, ['Vary', '*']] }).vary, ['*']);
});

test('answers without a body, parts, other statuses and what must not be transformed are left alone', () => {
  for (const status of [200, 403, 404]) assert.equal(outcome({}, { status }).isCompressed, true, `${status}`);
  for (const status of [201, 204, 206, 301, 304, 400, 500]) assert.equal(outcome({}, { status }).isCompressed, false, `${status}`);
  const head = outcome({ vary: true }, { hasBody: false, headers: [...HTML, ['Content-Length', '500']] }, { method: 'HEAD' });
  assert.equal(head.isCompressed, false);
  assert.equal(head.response.header('content-length'), '500');
  assert.deepEqual(head.vary, ['Accept-Encoding']);
  for (const value of ['no-transform', 'max-age=60, No-Transform', 'private,no-transform , x']) {
    assert.equal(outcome({}, { headers: [...HTML, ['Cache-Control', value]] }).isCompressed, false, value);
  }
  assert.equal(outcome({}, { headers: [...HTML, ['Cache-Control', 'max-age=60, x-no-transform']] }).isCompressed, true);
});

test('a strong entity tag is weakened, a weak one stays, and what is none goes', () => {
  const tagOf = (tag: string) => outcome({}, { headers: [...HTML, ['ETag', tag]] }).response.header('etag');
  assert.equal(tagOf('"a"'), 'W/"a"');
  assert.equal(tagOf('W/"a"'), 'W/"a"');
  assert.equal(tagOf('a'), undefined);
});

test('a body that another filter replaces is not compressed after its coding was taken away', () => {
  const instance = createPlugin(gzip, {});
  const request = new TestRequest({ headers: ACCEPTS });
  const response = new TestResponse({ headers: HTML });
  runHeaderFilter(instance, request, response);
  response.removeHeader('content-encoding');
  assert.equal(instance.bodyFilter?.(request, response), undefined);
});

test('two configurations on one request compress once', async () => {
  const instances = [createPlugin(gzip, {}), createPlugin(gzip, { comp_level: 9 })];
  const request = new TestRequest({ headers: ACCEPTS });
  const response = new TestResponse({ headers: HTML });
  for (const instance of instances) runHeaderFilter(instance, request, response);
  const filters = instances.map((instance) => instance.bodyFilter?.(request, response));
  assert.deepEqual(
    filters.map((filter) => filter === undefined),
    [false, true],
  );
  assert.deepEqual(response.headerValues('content-encoding'), ['gzip']);
  filters[0]?.abort?.();
});

test('an exchange that ends early leaves nothing behind, and pushes nothing more', async () => {
  const create = (headers: HeaderLines) =>
    runResponse(createPlugin(gzip, {}), new TestRequest({ headers: ACCEPTS }), new TestResponse({ headers }));
  for (const headers of [HTML, [...HTML, ['Content-Length', '100']] as const]) {
    const filter = create(headers);
    assert.ok(filter);
    const pushed: Buffer[] = [];
    const writing = filter.write(Buffer.alloc(20_000, 'x'), (bytes) => pushed.push(bytes));
    filter.abort?.();
    await Promise.resolve(writing).catch(() => {});
    assert.equal(pushed.length, 0);
  }
});

test('the limits of the configuration are those of APISIX', () => {
  const good: readonly JsonObject[] = [
    {},
    { types: '*' },
    { types: ['a'] },
    { min_length: 1, comp_level: 9, http_version: 1, vary: true },
    { buffers: {} },
    { buffers: { number: 1, size: 1 } },
  ];
  for (const configuration of good) assert.equal(configurationError(gzipSchema, configuration), '', JSON.stringify(configuration));
  const bad: readonly JsonObject[] = [
    { types: [] },
    { types: [''] },
    { types: 'text/html' },
    { min_length: 0 },
    { comp_level: 0 },
    { comp_level: 10 },
    { http_version: 2 },
    { http_version: '1.1' },
    { vary: 'yes' },
    { buffers: { number: 0 } },
    { buffers: { size: 0 } },
    { buffers: 1 },
  ];
  for (const configuration of bad) {
    assert.match(configurationError(gzipSchema, configuration), /^Error at "\/plugins\/gzip\//, JSON.stringify(configuration));
  }
});

test('the example of the page on gzip works', async () => {
  const page = await readFile(path.join(import.meta.dirname, 'README.md'), 'utf8');
  const [block] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
  const configuration = block.plugins.gzip;
  assert.equal(configurationError(gzipSchema, configuration), '');
  const { isCompressed, vary } = outcome(configuration, { headers: [['Content-Type', 'application/json'], ['Content-Length', '5000']] }); // biome-ignore format: one answer a line
  assert.equal(isCompressed, true);
  assert.deepEqual(vary, ['Accept-Encoding']);
});
