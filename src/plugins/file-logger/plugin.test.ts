import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { type JsonObject, type PluginInstance, validatePlugins } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  runLog,
  runRequest,
  runResponse,
  TestRequest,
  type TestRequestOptions,
  TestResponse,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { fileLogger } from './plugin.ts';
import { fileLoggerSchema } from './schema.ts';

const FILE = '/var/log/access.log';

async function log(instance: PluginInstance, options: TestRequestOptions = {}, status = 200): Promise<void> {
  const request = new TestRequest(options);
  assert.equal(await runRequest(instance, request), undefined);
  const filter = runResponse(instance, request, new TestResponse({ status }));
  await filter?.write(Buffer.from('answer'), () => {});
  await filter?.end(() => {});
  runLog(instance, request);
}

test('every request is one line of JSON in the file', async () => {
  const setup = testSetup();
  const instance = createPlugin(fileLogger, { path: FILE }, setup);
  await log(instance, { target: '/a' });
  await log(instance, { target: '/b', route: null });
  const lines = setup.files.lines(FILE).map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ request, route_id }) => [request.uri, route_id]),
    [
      ['/a', 'route-1'],
      ['/b', undefined],
    ],
  );
});

test('the file of the metadata holds where the configuration names none, and a relative path starts where the gateway runs', async () => {
  const setup = testSetup({ metadata: { path: '/var/log/shared.log', log_format: { uri: '$uri' } } });
  await log(createPlugin(fileLogger, {}, setup), { target: '/a' });
  assert.deepEqual(setup.files.lines('/var/log/shared.log'), ['{"uri":"/a","service_id":"service-1","route_id":"route-1"}']);
  await log(createPlugin(fileLogger, { path: FILE }, setup));
  assert.equal(setup.files.lines(FILE).length, 1);
  await log(createPlugin(fileLogger, { path: 'logs/file.log' }, setup));
  assert.equal(setup.files.lines(path.resolve('logs/file.log')).length, 1);
});

test('without any path nothing is logged, and that is told', async () => {
  const setup = testSetup();
  const instance = createPlugin(fileLogger, {}, setup);
  await log(instance);
  instance.dispose();
  assert.equal(setup.log.lines[0]?.level, 'error');
});

test('of several expressions one is enough; without a match nothing is logged', async () => {
  const setup = testSetup();
  const match = [[['arg_log', '==', 'yes']], [['status', '>=', 500]]];
  const instance = createPlugin(fileLogger, { path: FILE, match, log_format: { uri: '$request_uri' } }, setup);
  await log(instance, { target: '/?log=yes' });
  await log(instance, { target: '/?log=no' });
  await log(instance, { target: '/?failed' }, 503);
  assert.deepEqual(
    setup.files.lines(FILE).map((line) => JSON.parse(line).uri),
    ['/?log=yes', '/?failed'],
  );
  const never = createPlugin(fileLogger, { path: '/var/log/never.log', match: [] }, setup);
  await log(never);
  assert.deepEqual(setup.files.lines('/var/log/never.log'), []);
});

test('bodies are logged where that is asked for, and an unusable condition logs none', async () => {
  const setup = testSetup();
  const bodies = { include_req_body: true, include_resp_body: true };
  await log(createPlugin(fileLogger, { path: FILE, ...bodies }, setup), { method: 'POST', body: 'question' });
  await log(createPlugin(fileLogger, { path: FILE, ...bodies, include_req_body_expr: [['a', 'like', 1]] }, setup), { body: 'x' });
  const [first, second] = setup.files.lines(FILE).map((line) => JSON.parse(line));
  assert.deepEqual([first.request.body, first.response.body], ['question', 'answer']);
  assert.equal('body' in second.request, false);
});

test('the file is held as long as the configuration is in use, and a full disk fails no request', async () => {
  const setup = testSetup();
  const instance = createPlugin(fileLogger, { path: FILE }, setup);
  assert.equal(setup.files.openCount(FILE), 1);
  setup.files.full = true;
  await log(instance);
  instance.dispose();
  assert.equal(setup.files.openCount(FILE), 0);
});

test('the limits of the configuration are those of APISIX', () => {
  const expression = [['arg_a', '==', 'b']];
  const good: readonly JsonObject[] = [
    { path: FILE },
    { path: 'logs/file.log' },
    { path: '/dev/stdout' },
    { match: [] },
    { match: Array.from({ length: 20 }, () => expression) },
    { include_req_body_expr: [['a', 'like', 1]] },
    { other: 1 },
  ];
  for (const configuration of good) assert.equal(configurationError(fileLoggerSchema, configuration), '', JSON.stringify(configuration));
  const bad: readonly JsonObject[] = [
    { path: 1 },
    { path: '' },
    { match: {} },
    { match: ['a'] },
    { match: Array.from({ length: 21 }, () => expression) },
    { log_format: 'x' },
    { max_req_body_bytes: 0 },
    { include_resp_body_expr: [] },
  ];
  for (const configuration of bad)
    assert.match(configurationError(fileLoggerSchema, configuration), /^Error at "\/plugins\/file-logger\/[a-z_]+/);
  assert.equal(
    configurationError(fileLoggerSchema, { path: FILE, match: [expression, [['arg_a', 'like', 'b']]] }),
    "Error at \"/plugins/file-logger/match/1\": failed to validate the 'match' expression: invalid operator 'like'",
  );
});

test('a path must stand in the configuration or in the metadata, where that is known', () => {
  const context = { site: 'route', schemas: [fileLoggerSchema] } as const;
  const check = (configuration: JsonObject, metadata: JsonObject | undefined) =>
    fileLoggerSchema.check?.(configuration, { ...context, metadataOf: (plugin) => (plugin === 'file-logger' ? metadata : undefined) });
  assert.deepEqual(check({}, undefined), [
    { pointer: '/path', message: 'property "path" is not set in either the plugin conf or the metadata' },
  ]);
  assert.equal(check({}, { log_format: {} })?.length, 1);
  assert.deepEqual(check({}, { path: FILE }), []);
  assert.deepEqual(check({ path: FILE }, undefined), []);
  assert.deepEqual(validatePlugins({ 'file-logger': {} }, 'route', [fileLoggerSchema]), []);
});

test('a path that no file could have, or that leads into the product’s own data, is refused on write', () => {
  const closedFolders = ['/var/lib/portcullis', '/etc/portcullis/keyring.json'];
  const errorOf = (path: string): string =>
    validatePlugins({ 'file-logger': { path } }, 'route', [fileLoggerSchema], { closedFolders })[0]?.message ?? '';
  for (const path of ['/var/log/a.log', 'a.log', '/var/lib/portcullis.log', '/etc/portcullis/other', '/dev/stdout', '$env://LOG_FILE']) {
    assert.equal(errorOf(path), '', path);
  }
  const bad: readonly (readonly [string, RegExp])[] = [
    ['', /not be empty/],
    ['/var/log/a\0b', /control characters/],
    ['/var/log/a\nb', /control characters/],
    ['/var/log/', /name a file/],
    ['/var/log/..', /name a file/],
    ['.', /name a file/],
    [`/${'a'.repeat(256)}`, /255 between slashes/],
    ['/a'.repeat(2048), /4095 bytes/],
    ['/var/lib/portcullis/store.sqlite', /own data/],
    ['/var/lib/portcullis/gateway/x.log', /own data/],
    ['/var/log/../lib//portcullis/./x.log', /own data/],
    ['/var/lib/portcullis', /own data/],
    ['/etc/portcullis/keyring.json', /own data/],
  ];
  for (const [path, message] of bad) {
    assert.match(errorOf(path), message, path);
    assert.match(fileLoggerSchema.checkMetadata?.({ path }, { closedFolders })[0]?.message ?? '', message, path);
  }
});

test('a gateway goes on with a path that was accepted once', () => {
  assert.deepEqual(fileLoggerSchema.check?.({ path: '' }, { site: 'route', schemas: [], isStored: true }), []);
});

test('the example of the page on file-logger works', async () => {
  const page = await readFile(path.join(import.meta.dirname, 'README.md'), 'utf8');
  const [block] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
  const configuration = block.plugins['file-logger'];
  assert.equal(configurationError(fileLoggerSchema, configuration), '');
  const setup = testSetup();
  const instance = createPlugin(fileLogger, configuration, setup);
  await log(instance, { target: '/ok' });
  await log(instance, { target: '/broken' }, 502);
  assert.deepEqual(setup.files.lines('/var/log/portcullis-errors.log'), [
    '{"path":"/broken","status":502,"service_id":"service-1","route_id":"route-1"}',
  ]);
});
