import assert from 'node:assert/strict';
import test from 'node:test';
import type { Exchange } from '../../engine/index.ts';
import { ByteWriter } from '../../lib/byte-writer.ts';
import { type AccessFacts, appendAccessLine } from './access-line.ts';
import { logField } from './log-field.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const facts: AccessFacts = {
  requestId: bytes('ab'.repeat(16)),
  clientRequestId: undefined,
  revision: 12,
  clientText: bytes(logField('client', '10.0.0.7')),
  requestText: bytes(logField('method', 'GET') + logField('path', '/anything')),
  routeText: bytes(logField('route', 'r1') + logField('service', 's1')),
  nodeText: bytes(logField('node', '[::1]:8081')),
  consumer: { username: 'jack', customId: undefined, credentialId: 'c1' },
  pluginsStartedAtMs: 1002,
};

function accessLine(of: Exchange, about: AccessFacts, nowMs: number): string {
  const writer = new ByteWriter(Buffer.alloc(0), 16);
  appendAccessLine(writer, of, about, nowMs);
  return writer.bytes.toString('latin1', writer.start, writer.position);
}

const exchange: Exchange = {
  head: undefined,
  connection: {
    remoteAddress: '10.0.0.7',
    remotePort: 5,
    localPort: 9080,
    localAddress: () => '10.0.0.1',
    encrypted: false,
    httpVersion: 1,
    tls: undefined,
    context: undefined,
  },
  context: undefined,
  readBody: () => Promise.resolve('too-large'),
  grantTime: () => {},
  readBodyStart: () => Promise.resolve(Buffer.alloc(0)),
  respond: () => {},
  forward: () => {},
  abort: () => {},
  status: 200,
  reason: undefined,
  failedAttempts: '',
  upstreamStatus: 200,
  upstream: { address: '::1', port: 8081 },
  attempts: 1,
  bytesFromClient: 100,
  bytesToClient: 300,
  bodyBytesToClient: 200,
  connectionRequests: 0,
  startedAtMs: 1000,
  headReadAtMs: 1001.5,
  decidedAtMs: 1002.25,
  connectedAtMs: 1003,
  firstByteAtMs: 1010,
  finishedAtMs: 1012,
};

test('a line says who asked for what, where it went and how long each step took', () => {
  assert.deepEqual(JSON.parse(accessLine(exchange, facts, 0)), {
    request_id: 'ab'.repeat(16),
    time: '1970-01-01T00:00:00.000Z',
    revision: 12,
    client: '10.0.0.7',
    method: 'GET',
    path: '/anything',
    status: 200,
    route: 'r1',
    service: 's1',
    consumer: 'jack',
    credential: 'c1',
    node: '[::1]:8081',
    upstream_status: 200,
    attempts: 1,
    bytes_in: 100,
    bytes_out: 300,
    head_ms: 1.5,
    plugins_ms: 0.25,
    connect_ms: 0.75,
    first_byte_ms: 10,
    total_ms: 12,
  });
});

test('an answer of the gateway carries its one reason with the source', () => {
  const line = JSON.parse(
    accessLine({ ...exchange, status: 401, reason: 'key_missing', upstream: undefined, upstreamStatus: 0 }, facts, 0),
  );
  assert.equal(line.reason, 'key_missing');
  assert.equal(line.source, 'client');
  assert.equal('node' in line, false);
});

test('whatever a client sends stays one line of printable ASCII that parses', () => {
  const nasty = '/\u001b[31m"\\\r\n\u0000\u007f\u00ff\u2028';
  const requestText = bytes(logField('method', '"},{') + logField('path', nasty));
  const consumer = { username: nasty, customId: undefined, credentialId: nasty };
  const line = accessLine(exchange, { ...facts, requestText, clientRequestId: nasty, consumer }, 0);
  assert.match(line, /^[\x20-\x7e]+$/);
  const { path, method, client_request_id, consumer: username, credential } = JSON.parse(line);
  assert.deepEqual([path, method, client_request_id, username, credential], [nasty, '"},{', nasty, nasty, nasty]);
});

test('long texts are cut', () => {
  const requestText = bytes(logField('path', `/${'a'.repeat(100_000)}`));
  const line = accessLine(exchange, { ...facts, requestText }, 0);
  assert.ok(line.length < 2_000);
  assert.ok(JSON.parse(line).path.endsWith('...'));
});

test('times are milliseconds to three decimals, without zeros at the end, and never negative', () => {
  const total = (finishedAtMs: number): unknown => JSON.parse(accessLine({ ...exchange, finishedAtMs }, facts, 0)).total_ms;
  for (const ms of [0.001, 0.01, 0.1, 0.12, 0.123, 0.102, 1, 12.5, 1234.567, 86_400_000]) assert.equal(total(1000 + ms), ms);
  assert.equal(total(1000.0004), 0);
  assert.equal(total(999), 0);
});

test('the moment is written to the millisecond, whatever second was written before', () => {
  for (const nowMs of [0, 999, 1000, 1001, 86_399_999, 1_795_000_000_123.9, 5]) {
    assert.equal(JSON.parse(accessLine(exchange, facts, nowMs)).time, new Date(nowMs).toISOString());
  }
});
