import assert from 'node:assert/strict';
import test from 'node:test';
import type { Exchange } from '../../engine/index.ts';
import { type AccessFacts, accessLine } from './access-line.ts';

const facts: AccessFacts = {
  requestId: 'ab'.repeat(16),
  clientRequestId: undefined,
  revision: 12,
  method: 'GET',
  path: '/anything',
  routeId: 'r1',
  serviceId: 's1',
  consumer: 'jack',
  credentialId: 'c1',
  pluginsStartedAtMs: 1002,
};

const exchange: Exchange = {
  head: undefined,
  connection: { remoteAddress: '10.0.0.7', remotePort: 5, localPort: 9080, encrypted: false },
  context: undefined,
  respond: () => {},
  forward: () => {},
  status: 200,
  reason: undefined,
  upstreamStatus: 200,
  upstream: { address: '::1', port: 8081 },
  attempts: 1,
  bytesFromClient: 100,
  bytesToClient: 300,
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
  const line = accessLine(exchange, { ...facts, path: nasty, method: '"},{' }, 0);
  assert.match(line, /^[\x20-\x7e]+$/);
  assert.equal(JSON.parse(line).path, nasty);
  assert.equal(JSON.parse(line).method, '"},{');
});

test('long texts are cut', () => {
  const line = accessLine(exchange, { ...facts, path: `/${'a'.repeat(100_000)}` }, 0);
  assert.ok(line.length < 2_000);
  assert.ok(JSON.parse(line).path.endsWith('...'));
});
