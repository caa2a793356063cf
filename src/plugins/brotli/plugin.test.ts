import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { brotliDecompressSync, constants } from 'node:zlib';
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
import { gzip } from '../gzip/plugin.ts';
import { brotli } from './plugin.ts';
import { brotliSchema } from './schema.ts';

const ACCEPTS: HeaderLines = [['Accept-Encoding', 'gzip, deflate, br']];
const HTML: HeaderLines = [['Content-Type', 'text/html']];

function headOf(configuration: JsonObject, response: TestResponseOptions = {}, request: TestRequestOptions = {}): TestResponse {
  const head = new TestResponse({ headers: HTML, ...response });
  return runHeaderFilter(createPlugin(brotli, configuration), new TestRequest({ headers: ACCEPTS, ...request }), head);
}

async function bodyOf(configuration: JsonObject, headers: HeaderLines, pieces: readonly (string | Uint8Array)[], source?: 'gateway') {
  const response = new TestResponse({ headers, ...(source === undefined ? {} : { source }) });
  const filter = runResponse(createPlugin(brotli, configuration), new TestRequest({ headers: ACCEPTS }), response);
  assert.ok(filter);
  return collectBody(filter, pieces);
}

test('an answer is compressed, and its head says so', async () => {
  const head = headOf({ vary: true }, { headers: [...HTML, ['ETag', '"abc"'], ['Accept-Ranges', 'bytes']] });
  assert.deepEqual(head.headers, [
    ['Content-Type', 'text/html'],
    ['Vary', 'Accept-Encoding'],
    ['Content-Encoding', 'br'],
    ['ETag', 'W/"abc"'],
  ]);
  const page = '<p>Hello</p>'.repeat(100);
  const coded = await bodyOf({}, [...HTML, ['Content-Length', '1200']], [page]);
  assert.ok(coded.length < 100);
  assert.equal(brotliDecompressSync(coded).toString(), page);
});

test('short bodies, long ones and those of unknown length come out right, with whatever settings', async () => {
  const settings = fc.record({
    comp_level: fc.constantFrom(0, 4, 6, 9, 11),
    mode: fc.constantFrom(0, 1, 2),
    lgwin: fc.constantFrom(0, 10, 19, 24),
    lgblock: fc.constantFrom(0, 16, 24),
  });
  const pieces = fc.array(fc.uint8Array({ maxLength: 20_000 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      pieces,
      fc.boolean(),
      fc.constantFrom('gateway' as const, undefined),
      settings,
      async (body, isKnown, source, configuration) => {
        const whole = Buffer.concat(body);
        const lines: HeaderLines = isKnown ? [...HTML, ['Content-Length', `${Math.max(20, whole.length)}`]] : HTML;
        assert.deepEqual(brotliDecompressSync(await bodyOf(configuration, lines, body, source)), whole);
      },
    ),
    { numRuns: 40 },
  );
});

test('what is written of a body of unknown length comes out before more is written', async () => {
  const filter = runResponse(createPlugin(brotli, {}), new TestRequest({ headers: ACCEPTS }), new TestResponse({ headers: HTML }));
  assert.ok(filter);
  const pushed: Buffer[] = [];
  await filter.write(Buffer.from('data: first\n\n'), (bytes) => pushed.push(Buffer.from(bytes)));
  const sent = brotliDecompressSync(Buffer.concat(pushed), { finishFlush: constants.BROTLI_OPERATION_FLUSH });
  assert.equal(sent.toString(), 'data: first\n\n');
  await filter.end(() => {});
});

test('the window is as configured', async () => {
  const noise = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7919 * (index % 251)) % 256));
  const twice = Buffer.concat([noise, noise]);
  const sizeWith = async (lgwin: number) =>
    (await bodyOf({ lgwin, types: '*' }, [...HTML, ['Content-Length', `${twice.length}`]], [twice])).length;
  assert.ok((await sizeWith(10)) > (await sizeWith(22)) * 1.3);
});

test('the conditions are those of gzip, but any status is compressed except for parts', () => {
  const isCompressed = (...given: Parameters<typeof headOf>) => headOf(...given).header('content-encoding') === 'br';
  for (const status of [200, 201, 400, 404, 500]) assert.equal(isCompressed({}, { status }), true, `${status}`);
  for (const status of [204, 206, 304]) assert.equal(isCompressed({}, { status }), false, `${status}`);
  assert.equal(isCompressed({}, { headers: [...HTML, ['Content-Encoding', 'gzip']] }), false);
  assert.equal(isCompressed({}, { headers: [] }), false);
  assert.equal(isCompressed({}, { headers: [['Content-Type', 'image/png']] }), false);
  assert.equal(isCompressed({}, { headers: [...HTML, ['Content-Length', '19']] }), false);
  assert.equal(isCompressed({}, { headers: [...HTML, ['Cache-Control', 'no-transform']] }), false);
  assert.equal(isCompressed({}, { hasBody: false }), false);
  assert.equal(isCompressed({}, {}, { minorVersion: 0 }), false);
  assert.equal(isCompressed({ http_version: 1.0 }, {}, { minorVersion: 0 }), true);
  assert.equal(isCompressed({ types: '*' }, { headers: [['Content-Type', 'image/png']] }), true);
});

test('a client accepts brotli by its name or by a star, with a weight above nothing', () => {
  const isCompressed = (value: string) => headOf({}, {}, { headers: [['Accept-Encoding', value]] }).header('content-encoding') === 'br';
  for (const value of ['br', '*', 'gzip, br;q=0.1', 'gzip;q=1.0, *;q=0.5']) assert.equal(isCompressed(value), true, value);
  for (const value of ['gzip', 'br;q=0', 'br;q=0.0, *', '*;q=0', '', 'brotli']) assert.equal(isCompressed(value), false, value);
});

test('with gzip on the same route, clients that accept both get brotli, and nothing is compressed twice', () => {
  const codingFor = (value: string) => {
    const instances = [createPlugin(brotli, {}), createPlugin(gzip, {})];
    assert.ok((instances[0]?.priority ?? 0) > (instances[1]?.priority ?? 0));
    const request = new TestRequest({ headers: [['Accept-Encoding', value]] });
    const response = new TestResponse({ headers: HTML });
    for (const instance of instances) runHeaderFilter(instance, request, response);
    const filters = instances.filter((instance) => instance.bodyFilter?.(request, response) !== undefined);
    assert.equal(filters.length, response.header('content-encoding') === undefined ? 0 : 1);
    return response.headerValues('content-encoding').join();
  };
  assert.equal(codingFor('gzip, br'), 'br');
  assert.equal(codingFor('gzip, br;q=0'), 'gzip');
  assert.equal(codingFor('deflate'), '');
});

test('the limits of the configuration are those of APISIX', () => {
  const good: readonly JsonObject[] = [
    {},
    { comp_level: 0, mode: 2, lgwin: 0, lgblock: 0 },
    { comp_level: 11, lgwin: 24, lgblock: 24, types: '*', min_length: 1, http_version: 1.0, vary: false },
  ];
  for (const configuration of good) assert.equal(configurationError(brotliSchema, configuration), '', JSON.stringify(configuration));
  const bad: readonly JsonObject[] = [
    { types: [] },
    { min_length: 0 },
    { comp_level: -1 },
    { comp_level: 12 },
    { mode: 3 },
    { lgwin: 9 },
    { lgwin: 25 },
    { lgblock: 15 },
    { lgblock: 25 },
    { http_version: 1.2 },
    { vary: 1 },
  ];
  for (const configuration of bad) {
    assert.match(configurationError(brotliSchema, configuration), /^Error at "\/plugins\/brotli\//, JSON.stringify(configuration));
  }
});

test('the example of the page on brotli works', async () => {
  const page = await readFile(path.join(import.meta.dirname, 'README.md'), 'utf8');
  const [block] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
  const configuration = block.plugins.brotli;
  assert.equal(configurationError(brotliSchema, configuration), '');
  const head = headOf(configuration, { headers: [['Content-Type', 'application/json']] });
  assert.equal(head.header('content-encoding'), 'br');
  assert.equal(head.header('vary'), 'Accept-Encoding');
});
