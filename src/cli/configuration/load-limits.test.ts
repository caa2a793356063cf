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

test('no connection at all is no limit that can be meant', () => {
  for (const name of ['max-connections', 'max-upstream-connections', 'max-requests-per-service']) {
    assert.throws(() => limitsOf({ [name]: '0' }), StartError);
  }
});
