import assert from 'node:assert/strict';
import test from 'node:test';
import { StartError } from '../../errors/index.ts';
import { readConfiguration } from './configuration.ts';

const limitsOf = (flags: Record<string, string>, environment: Record<string, string> = {}) =>
  readConfiguration({ flags: new Map(Object.entries(flags)), environment, folder: '/srv', file: undefined }).limits;

test('what is not set is left for the gateway to derive', () => {
  assert.deepEqual(limitsOf({}), {});
});

test('each limit of what a gateway takes on has a setting', () => {
  assert.deepEqual(limitsOf({ 'max-connections': '1000', 'max-requests-per-node': '5' }, { PORTCULLIS_MAX_UPSTREAM_CONNECTIONS: '900' }), {
    clientConnections: 1000,
    upstreamConnections: 900,
    requestsPerNode: 5,
  });
  assert.deepEqual(limitsOf({ 'max-connections-per-client': '20', 'max-requests-per-service': '30' }), {
    connectionsPerAddress: 20,
    requestsPerService: 30,
  });
});

test('a service cannot be given more than half of the connections to upstreams', () => {
  const limits = { 'max-upstream-connections': '100', 'max-requests-per-service': '50' };
  assert.equal(limitsOf(limits).requestsPerService, 50);
  assert.throws(
    () => limitsOf({ ...limits, 'max-requests-per-service': '51' }),
    /must be at most half of --max-upstream-connections \(100\)/,
  );
});

test('no connection at all is no limit that can be meant', () => {
  for (const name of ['max-connections', 'max-upstream-connections', 'max-requests-per-service']) {
    assert.throws(() => limitsOf({ [name]: '0' }), StartError);
  }
});
