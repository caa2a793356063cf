import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { describeSecrets, type JsonObject, type PluginInstance } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  runLog,
  runRequest,
  runResponse,
  TestRequest,
  type TestRequestOptions,
  type TestSetup,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { httpLogger } from './plugin.ts';
import { httpLoggerSchema } from './schema.ts';

const URI = 'http://logs.test:8080/in?key=k';

async function log(instance: PluginInstance, options: TestRequestOptions = {}): Promise<void> {
  const request = new TestRequest(options);
  assert.equal(await runRequest(instance, request), undefined);
  const filter = runResponse(instance, request);
  await filter?.write(Buffer.from('answer'), () => {});
  await filter?.end(() => {});
  runLog(instance, request);
}

function create(configuration: JsonObject, setup: TestSetup = testSetup()): { instance: PluginInstance; setup: TestSetup } {
  return { instance: createPlugin(httpLogger, { uri: URI, ...configuration }, setup), setup };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the defaults are those of APISIX: a POST of an array after five silent seconds, without verifying the certificate', async () => {
  const { instance, setup } = create({});
  await log(instance, { target: '/a' });
  await log(instance, { target: '/b' });
  setup.clock.advance(4999);
  assert.equal(setup.calls.sent.length, 0);
  setup.clock.advance(1);
  const [call] = setup.calls.sent;
  assert.ok(call);
  const { body, ...rest } = call;
  assert.deepEqual(rest, {
    method: 'POST',
    url: URI,
    headers: { 'Content-Type': 'application/json' },
    timeoutMs: 3000,
    verifyTls: false,
  });
  const entries: readonly { readonly request: { readonly uri: string }; readonly route_id: string }[] = JSON.parse(String(body));
  assert.deepEqual(
    entries.map(({ request, route_id }) => [request.uri, route_id]),
    [
      ['/a', 'route-1'],
      ['/b', 'route-1'],
    ],
  );
});

test('a batch goes out at a thousand entries', async () => {
  const { instance, setup } = create({ log_format: { uri: '$uri' } });
  for (let entry = 0; entry < 1000; entry++) runLog(instance, new TestRequest());
  assert.equal(setup.calls.sent.length, 1);
  assert.equal(JSON.parse(String(setup.calls.sent[0]?.body)).length, 1000);
});

test('authorization, time-out and verification are as configured', async () => {
  const { instance, setup } = create({ auth_header: 'Bearer s3cret', timeout: 10, ssl_verify: true, batch_max_size: 1 });
  await log(instance);
  const [call] = setup.calls.sent;
  assert.equal(call?.headers.Authorization, 'Bearer s3cret');
  assert.equal(call?.timeoutMs, 10_000);
  assert.equal(call?.verifyTls, true);
});

test('new_line writes an entry on each line, as text', async () => {
  const { instance, setup } = create({ concat_method: 'new_line', batch_max_size: 2, log_format: { uri: '$uri' } });
  await log(instance, { target: '/a' });
  await log(instance, { target: '/b' });
  assert.equal(setup.calls.sent[0]?.headers['Content-Type'], 'text/plain');
  const lines = String(setup.calls.sent[0]?.body).split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).uri),
    ['/a', '/b'],
  );
});

test('with batches of one the entry stands alone, and is sent at once', async () => {
  for (const concat_method of ['json', 'new_line']) {
    const { instance, setup } = create({ batch_max_size: 1, concat_method });
    await log(instance);
    assert.equal(JSON.parse(String(setup.calls.sent[0]?.body)).client_ip, '192.0.2.1');
  }
});

test('a request without a route is logged as one that matched none', async () => {
  const { instance, setup } = create({ batch_max_size: 1 });
  await log(instance, { route: null });
  assert.equal(JSON.parse(String(setup.calls.sent[0]?.body)).route_id, 'no-matched');
});

test('bodies are logged where that is asked for, and a condition on each is obeyed', async () => {
  const { instance, setup } = create({
    batch_max_size: 1,
    include_req_body: true,
    include_resp_body: true,
    include_resp_body_expr: [['status', '==', 200]],
    max_req_body_bytes: 3,
    max_resp_body_bytes: 4,
  });
  await log(instance, { method: 'POST', body: 'question' });
  const entry = JSON.parse(String(setup.calls.sent[0]?.body));
  assert.equal(entry.request.body, 'que');
  assert.equal(entry.response.body, 'answ');
});

test('a status of 400 and above is a failure, which is told without the address, and the batch is tried again as configured', async () => {
  const { instance, setup } = create({ batch_max_size: 1, max_retry_count: 1, retry_delay: 2 });
  setup.calls.answer = () => ({ status: 400 });
  await log(instance);
  await settle();
  setup.clock.advance(1999);
  assert.equal(setup.calls.sent.length, 1);
  setup.clock.advance(1);
  await settle();
  assert.equal(setup.calls.sent.length, 2);
  assert.deepEqual(
    setup.log.lines.map(({ message, fields }) => [message, fields]),
    [['entries are lost', { entries: 1, why: 'the log server answered 400' }]],
  );
  setup.calls.answer = () => ({ status: 399 });
  await log(instance);
  await settle();
  setup.clock.advance(10_000);
  assert.equal(setup.log.lines.length, 1);
});

test('no request waits while the log server hangs, and what waits for it is bounded by the metadata', async () => {
  const { instance, setup } = create({ batch_max_size: 1 }, testSetup({ metadata: { max_pending_entries: 5 } }));
  setup.calls.answer = () => new Promise(() => {});
  for (let entry = 0; entry < 8; entry++) await log(instance);
  assert.equal(setup.calls.sent.length, 5);
  assert.equal(setup.metrics.value('plugin_entries_dropped_total', ['http-logger']), 3);
});

test('the format of the metadata holds where the configuration has none', async () => {
  const { instance, setup } = create({ batch_max_size: 1 }, testSetup({ metadata: { log_format: { h: '$host' } } }));
  await log(instance);
  assert.deepEqual(JSON.parse(String(setup.calls.sent[0]?.body)), { h: 'gateway.test', route_id: 'route-1', service_id: 'service-1' });
});

test('the same configuration twice is one batch, and disposing of the last sends it', async () => {
  const { instance, setup } = create({});
  const { instance: again } = create({}, setup);
  const { instance: other } = create({ timeout: 4 }, setup);
  for (const each of [instance, again, other]) await log(each);
  instance.dispose();
  assert.equal(setup.calls.sent.length, 0);
  again.dispose();
  other.dispose();
  assert.deepEqual(
    setup.calls.sent.map(({ body }) => JSON.parse(String(body)).length),
    [2, 1],
  );
  await settle();
  assert.equal(setup.clock.pendingTasks, 0);
});

test('the limits of the configuration are those of APISIX', () => {
  const good: readonly JsonObject[] = [
    {},
    { uri: 'https://[::1]:9200' },
    { uri: 'http://127.0.0.1' },
    { timeout: 1, batch_max_size: 1, inactive_timeout: 1, buffer_duration: 1, max_retry_count: 0, retry_delay: 0 },
    { concat_method: 'new_line', ssl_verify: true, name: 'n', auth_header: 'x' },
    { log_format: {}, log_format_extra: {}, max_req_body_bytes: 1, max_resp_body_bytes: 1 },
    { include_req_body_expr: [['arg_a', '==', 'b']], include_resp_body_expr: [['status', '>', 399]] },
    { unknown: 1 },
  ];
  for (const fields of good) assert.equal(configurationError(httpLoggerSchema, { uri: URI, ...fields }), '', JSON.stringify(fields));
  const bad: readonly JsonObject[] = [
    { uri: 1 },
    { uri: 'logs.test' },
    { uri: '/path' },
    { timeout: 0 },
    { timeout: 1.5 },
    { batch_max_size: 0 },
    { inactive_timeout: 0 },
    { buffer_duration: 0 },
    { max_retry_count: -1 },
    { retry_delay: -1 },
    { concat_method: 'lines' },
    { ssl_verify: 'yes' },
    { name: 1 },
    { auth_header: 1 },
    { log_format: 'text' },
    { log_format_extra: [] },
    { include_req_body: 1 },
    { include_req_body_expr: [] },
    { include_req_body_expr: ['OR', ['a', '==', 1]] },
    { include_resp_body: 'x' },
    { include_resp_body_expr: {} },
    { max_req_body_bytes: 0 },
    { max_resp_body_bytes: 0 },
  ];
  for (const fields of bad) {
    const [name] = Object.keys(fields);
    const error = configurationError(httpLoggerSchema, { uri: URI, ...fields });
    assert.ok(error.startsWith(`Error at "/plugins/http-logger/${name}`), `${JSON.stringify(fields)}: ${error}`);
  }
  assert.equal(configurationError(httpLoggerSchema, {}), 'Error at "/plugins/http-logger/uri": property "uri" is missing');
});

test("conditions that do not compile are refused with APISIX's words", () => {
  for (const field of ['include_req_body_expr', 'include_resp_body_expr']) {
    assert.equal(
      configurationError(httpLoggerSchema, { uri: URI, [field]: [['arg_a', 'like', 'b']] }),
      `Error at "/plugins/http-logger/${field}": failed to validate the '${field}' expression: invalid operator 'like'`,
    );
  }
});

test('the metadata has limits too', () => {
  const metadata = httpLoggerSchema.metadataSchema;
  assert.ok(metadata);
  const errorOf = (value: JsonObject): string => configurationError({ ...httpLoggerSchema, schema: metadata, check: () => [] }, value);
  assert.equal(errorOf({ log_format: { a: '$b' }, log_format_extra: {}, max_pending_entries: 1 }), '');
  for (const value of [{ log_format: 1 }, { log_format_extra: 1 }, { max_pending_entries: 0 }]) assert.notEqual(errorOf(value), '');
});

test('the value of Authorization is a secret', () => {
  const { secretPointers } = describeSecrets({ 'http-logger': { uri: URI, auth_header: 'Bearer t' } }, 'route', [httpLoggerSchema]);
  assert.deepEqual(secretPointers, ['/plugins/http-logger/auth_header']);
});

test('the example of the page on http-logger works', async () => {
  const page = await readFile(path.join(import.meta.dirname, 'README.md'), 'utf8');
  const [block] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => JSON.parse(match[1] ?? ''));
  const configuration = block.plugins['http-logger'];
  assert.equal(configurationError(httpLoggerSchema, configuration), '');
  const setup = testSetup();
  const instance = createPlugin(httpLogger, configuration, setup);
  await log(instance, { target: '/orders?id=1', consumer: { username: 'jack', customId: undefined, credentialId: undefined } });
  instance.dispose();
  assert.equal(
    String(setup.calls.sent[0]?.body),
    '{"time":"2027-01-15T08:00:00+00:00","who":"jack","what":{"method":"GET","path":"/orders","status":200},"service_id":"service-1","route_id":"route-1"}',
  );
});
