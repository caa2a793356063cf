import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../plugin-kit/index.ts';
import {
  configurationError,
  createPlugin,
  exampleOf,
  readExamples,
  runPhaseAtOnce,
  TestRequest,
  type TestRequestOptions,
  testSetup,
} from '../../plugin-kit/testing/index.ts';
import { parseClientAddress } from './parse-client-address.ts';
import { realIp } from './plugin.ts';
import { realIpSchema } from './schema.ts';

const PEER = '192.0.2.1 40000';

/** Address and port of the client afterwards, and how often the log complains. */
function clientAfter(configuration: JsonObject, options: TestRequestOptions): { client: string; warnings: number } {
  const setup = testSetup();
  const request = new TestRequest(options);
  assert.equal(runPhaseAtOnce(createPlugin(realIp, configuration, setup), 'rewrite', request), undefined);
  return { client: `${request.remoteAddress} ${request.remotePort}`, warnings: setup.log.lines.length };
}

function forwardedFor(configuration: JsonObject, ...lines: string[]): string {
  const headers = lines.map((line) => ['X-Forwarded-For', line] as const);
  return clientAfter({ source: 'http_x_forwarded_for', ...configuration }, { headers }).client;
}

test('an address may come from any variable, with or without a port', () => {
  const headers = (value: string) => ({ headers: [['X-Real-IP', value]] as const });
  const source = 'http_x_real_ip';
  assert.equal(clientAfter({ source }, headers('203.0.113.9')).client, '203.0.113.9 40000');
  assert.equal(clientAfter({ source }, headers('203.0.113.9:1234')).client, '203.0.113.9 1234');
  assert.equal(clientAfter({ source }, headers('2001:DB8::1')).client, '2001:db8::1 40000');
  assert.equal(clientAfter({ source }, headers('[2001:db8::1]:65535')).client, '2001:db8::1 65535');
  assert.equal(clientAfter({ source }, headers('[::1]')).client, '::1 40000');
  assert.equal(clientAfter({ source }, headers('::ffff:203.0.113.9')).client, '203.0.113.9 40000');
  assert.equal(clientAfter({ source: 'arg_ip' }, { target: '/?ip=203.0.113.9:80' }).client, '203.0.113.9 80');
  assert.equal(clientAfter({ source: 'cookie_ip' }, { headers: [['Cookie', 'a=1; ip=203.0.113.9']] }).client, '203.0.113.9 40000');
});

test('what is no address changes nothing, and the log says so without the value', () => {
  const values = [
    '',
    'x',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4:0',
    '1.2.3.4:65536',
    '1.2.3.4:',
    '1.2.3.4:x',
    '[1.2.3.4]',
    '[::1',
    '::1]',
    '[::1]x',
    '[]',
    'a, b',
  ];
  for (const value of values) {
    assert.deepEqual(clientAfter({ source: 'http_x' }, { headers: [['X', value]] }), { client: PEER, warnings: 1 }, value);
  }
  assert.deepEqual(clientAfter({ source: 'http_x' }, {}), { client: PEER, warnings: 1 });
  assert.deepEqual(clientAfter({ source: 'unknown' }, {}), { client: PEER, warnings: 1 });
  const setup = testSetup();
  const request = new TestRequest({ headers: [['Authorization', 'secret-token']] });
  runPhaseAtOnce(createPlugin(realIp, { source: 'http_authorization' }, setup), 'rewrite', request);
  assert.doesNotMatch(JSON.stringify(setup.log.lines), /secret/);
});

test('a peer that is not trusted is not believed', () => {
  const headers = [['X-Real-IP', '203.0.113.9']] as const;
  const source = 'http_x_real_ip';
  assert.deepEqual(clientAfter({ source, trusted_addresses: ['10.0.0.0/8'] }, { headers }), { client: PEER, warnings: 0 });
  assert.equal(clientAfter({ source, trusted_addresses: ['10.0.0.0/8', '192.0.2.1'] }, { headers }).client, '203.0.113.9 40000');
  const ofIPv6 = { source, trusted_addresses: ['2001:db8::/32'] };
  assert.equal(clientAfter(ofIPv6, { headers, remoteAddress: '2001:db8::7' }).client, '203.0.113.9 40000');
  assert.equal(clientAfter(ofIPv6, { headers, remoteAddress: '2001:db9::7' }).client, '2001:db9::7 40000');
});

test('of X-Forwarded-For the last address of the last line counts', () => {
  assert.equal(forwardedFor({}, '203.0.113.1'), '203.0.113.1 40000');
  assert.equal(forwardedFor({}, '203.0.113.1, 203.0.113.2,203.0.113.3:99'), '203.0.113.3 99');
  assert.equal(forwardedFor({}, '203.0.113.1', '203.0.113.2 , 203.0.113.3'), '203.0.113.3 40000');
  assert.equal(forwardedFor({}, '203.0.113.1, nobody'), PEER);
  assert.equal(forwardedFor({}, '203.0.113.1,'), PEER);
  assert.equal(forwardedFor({ recursive: true }, '203.0.113.1, 203.0.113.2'), '203.0.113.2 40000');
});

test('recursive passes over trusted proxies from the right', () => {
  const configuration = { trusted_addresses: ['192.0.2.0/24', '10.0.0.0/8', '::1'], recursive: true };
  assert.equal(forwardedFor(configuration, '203.0.113.1, 203.0.113.2, 10.0.0.1, 10.0.0.2'), '203.0.113.2 40000');
  assert.equal(forwardedFor(configuration, '203.0.113.1, 10.0.0.1:80, [::1]:80'), '203.0.113.1 40000');
  assert.equal(forwardedFor(configuration, '10.0.0.1, 10.0.0.2'), '10.0.0.1 40000');
  assert.equal(forwardedFor(configuration, '203.0.113.1, nobody, 10.0.0.1'), PEER);
  assert.equal(forwardedFor(configuration, '203.0.113.1', '10.0.0.1'), '10.0.0.1 40000');
  assert.equal(forwardedFor({ ...configuration, recursive: false }, '203.0.113.2, 10.0.0.1'), '10.0.0.1 40000');
});

test('recursion does not hold for other sources', () => {
  const configuration = { source: 'http_x_real_ip', trusted_addresses: ['192.0.2.1'], recursive: true };
  assert.equal(clientAfter(configuration, { headers: [['X-Real-IP', '203.0.113.1, 192.0.2.1']] }).client, PEER);
});

test('every address comes back from its text, and no text makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }), (address, port) => {
      const host = address.includes(':') && port !== undefined ? `[${address}]` : address;
      const parsed = parseClientAddress(port === undefined ? host : `${host}:${port}`);
      assert.deepEqual(parsed, { address: parseClientAddress(address)?.address, port });
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('1', '.', ':', '[', ']', 'a', '%') }), (text) => {
      const { port } = parseClientAddress(text) ?? {};
      assert.ok(port === undefined || (port >= 1 && port <= 65_535));
    }),
  );
});

test('the source is required, the trusted addresses are addresses', () => {
  const errorOf = (configuration: JsonObject) => configurationError(realIpSchema, configuration);
  assert.equal(errorOf({ source: 'http_x' }), '');
  assert.equal(errorOf({ source: 'x', trusted_addresses: ['::1', '10.0.0.0/8', '::/0'], recursive: true, other: 1 }), '');
  assert.match(errorOf({}), /property "source" is missing/);
  for (const [field, value] of [
    ['source', ''],
    ['source', 1],
    ['trusted_addresses', []],
    ['trusted_addresses', '::1'],
    ['recursive', 'yes'],
  ] as const) {
    assert.match(errorOf({ source: 'x', [field]: value }), new RegExp(`^Error at "/plugins/real-ip/${field}"`));
  }
  assert.equal(
    errorOf({ source: 'x', trusted_addresses: ['::1', '10.0.0'] }),
    'Error at "/plugins/real-ip/trusted_addresses/1": invalid ip address: 10.0.0',
  );
});

test('the example of the page works', async () => {
  const [example] = await readExamples(import.meta.dirname);
  const configuration = exampleOf(example, 'real-ip');
  assert.equal(configurationError(realIpSchema, configuration), '');
  const headers = [['X-Forwarded-For', '198.51.100.1, 203.0.113.2, 10.1.1.1']] as const;
  assert.equal(clientAfter(configuration, { headers, remoteAddress: '127.0.0.1' }).client, '203.0.113.2 40000');
});
