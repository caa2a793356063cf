import assert from 'node:assert/strict';
import test from 'node:test';
import { readHealthChecks } from './effective-checks.ts';
import { readUpstream } from './effective-upstream.ts';
import { asUpstreamDocument } from './upstream.ts';

test('checks have the defaults of API7', () => {
  const { active, passive } = readHealthChecks({ active: {}, passive: {} });
  assert.partialDeepStrictEqual(active, { kind: 'http', timeoutMs: 1000, concurrency: 10, path: '/', verifyCertificate: true });
  assert.partialDeepStrictEqual(active, { healthyIntervalMs: 1000, unhealthyIntervalMs: 1000, healthyStatuses: [200, 302] });
  assert.partialDeepStrictEqual(active, { successes: 2, httpFailures: 5, tcpFailures: 2, timeouts: 3 });
  assert.deepEqual(active.unhealthyStatuses, [429, 404, 500, 501, 502, 503, 504, 505]);
  assert.partialDeepStrictEqual(passive, {
    unhealthyStatuses: [429, 500, 503],
    successes: 5,
    httpFailures: 5,
    tcpFailures: 2,
    timeouts: 7,
  });
  assert.equal(readHealthChecks({ active: {} }).passive, undefined);
});

test('what is written wins, 0 and headers among it', () => {
  const { active } = readHealthChecks({
    active: { req_headers: ['A: b:c', 'D:'], timeout: 0.5, unhealthy: { http_failures: 0, interval: 3 }, healthy: { successes: 1 } },
  });
  assert.deepEqual(active.headers, [
    ['A', 'b:c'],
    ['D', ''],
  ]);
  assert.partialDeepStrictEqual(active, { timeoutMs: 500, httpFailures: 0, unhealthyIntervalMs: 3000, successes: 1 });
});

test('an upstream says how it balances', () => {
  const balancing = (more: object) => readUpstream(asUpstreamDocument({ nodes: [], ...more })).balancing;
  assert.deepEqual(balancing({ type: 'chash', key: 'uri' }), { kind: 'chash', hash: { on: 'vars', key: 'uri' } });
  assert.deepEqual(balancing({ type: 'chash', hash_on: 'consumer' }), { kind: 'chash', hash: { on: 'consumer', key: '' } });
  assert.deepEqual(balancing({ type: 'ewma' }), { kind: 'ewma' });
});
