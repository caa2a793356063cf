import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDescriptorLimit } from './descriptor-limit.ts';
import { deriveDatagramSessions, deriveLimits, deriveRefusedConnections, exceedsDescriptors } from './instance-limits.ts';

test('each side gets 45 % of the descriptors, and a service half of the upstream side', () => {
  assert.deepEqual(deriveLimits(20_000, {}), {
    clientConnections: 9000,
    upstreamConnections: 9000,
    connectionsPerAddress: 0,
    requestsPerService: 4500,
    requestsPerNode: 0,
  });
});

test('what is set wins, and half of a set upstream side is what a service gets', () => {
  const limits = deriveLimits(1000, { upstreamConnections: 11, connectionsPerAddress: 3, requestsPerNode: 2 });
  assert.deepEqual(limits, {
    clientConnections: 450,
    upstreamConnections: 11,
    connectionsPerAddress: 3,
    requestsPerService: 5,
    requestsPerNode: 2,
  });
  assert.equal(deriveLimits(1000, { clientConnections: 7 }).clientConnections, 7);
  assert.equal(deriveLimits(1000, { upstreamConnections: 1 }).requestsPerService, 1);
});

test('no service gets more than half of the upstream side, whatever is set', () => {
  assert.equal(deriveLimits(20_000, { requestsPerService: 4501 }).requestsPerService, 4500);
  assert.equal(deriveLimits(20_000, { requestsPerService: 4499 }).requestsPerService, 4499);
  assert.equal(deriveLimits(20_000, { upstreamConnections: 100, requestsPerService: 60 }).requestsPerService, 50);
});

test('neither a tiny nor an endless descriptor limit leads to nonsense', () => {
  assert.equal(deriveLimits(10, {}).clientConnections, 16);
  assert.equal(deriveLimits(Number.MAX_SAFE_INTEGER, {}).clientConnections, 471_859);
});

test('limits beyond the descriptors are noticed', () => {
  assert.equal(exceedsDescriptors(deriveLimits(1000, {}), 1000), false);
  assert.equal(exceedsDescriptors(deriveLimits(1000, { clientConnections: 551 }), 1000), true);
});

test('UDP sessions leave three quarters of the connections of either side', () => {
  assert.equal(deriveDatagramSessions(deriveLimits(20_000, {}), 4), 562);
  assert.equal(deriveDatagramSessions(deriveLimits(20_000, { upstreamConnections: 80 }), 4), 5);
  assert.equal(deriveDatagramSessions(deriveLimits(10, {}), 64), 1);
});

test('connections that are only refused fit into what the two sides leave', () => {
  for (const descriptors of [1024, 20_000, 1_000_000]) {
    for (const workers of [4, 18]) {
      const { clientConnections, upstreamConnections } = deriveLimits(descriptors, {});
      const refused = deriveRefusedConnections(descriptors, workers) * workers;
      assert.ok(refused > 0 && clientConnections + upstreamConnections + refused < descriptors, `${descriptors} ${workers} ${refused}`);
    }
  }
});

test('the soft limit is read from the text of /proc/self/limits', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             7823                 7823                 processes ',
    'Max open files            1024                 4096                 files     ',
    'Max locked memory         8388608              8388608              bytes     ',
  ];
  assert.equal(parseDescriptorLimit(text.join('\n')), 1024);
  assert.equal(
    parseDescriptorLimit('Max open files            unlimited            unlimited            files\n'),
    Number.MAX_SAFE_INTEGER,
  );
  assert.equal(parseDescriptorLimit('Max processes  1 2 x'), undefined);
});
