import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonObject } from '../../lib/json.ts';
import { asUpstreamDocument, readUpstream } from '../../schema/index.ts';
import { resolveNodes, sourceNamesOf } from './resolve-nodes.ts';

const ADDRESSES: ReadonlyMap<string, readonly string[]> = new Map([['a.test', ['10.0.0.1', '10.0.0.2']]]);
const found = { address: '10.9.0.1', port: undefined, weight: 3, priority: -1 };
const source = {
  addressesOf: (host: string) => ADDRESSES.get(host) ?? (host.includes('test') ? [] : [host]),
  nodesOf: (key: string) => (key === 'dns/shop' ? [found, { ...found, port: 8080 }] : undefined),
};

function upstreamOf(fields: JsonObject) {
  return readUpstream(asUpstreamDocument(fields));
}

test('addresses of one name share its weight, and names without any leave the list incomplete', () => {
  const nodes = ['a.test', '10.0.0.3', 'gone.test'].map((host) => ({ host, port: 80, weight: 4 }));
  const resolved = resolveNodes(upstreamOf({ nodes }), source);
  assert.deepEqual(
    resolved.nodes.map(({ host, address, weight }) => [host, address, weight]),
    [
      ['a.test', '10.0.0.1', 2],
      ['a.test', '10.0.0.2', 2],
      ['10.0.0.3', '10.0.0.3', 4],
    ],
  );
  assert.equal(resolved.isComplete, false);
  assert.deepEqual(sourceNamesOf(upstreamOf({ nodes })), ['a.test', '10.0.0.3', 'gone.test']);
});

test('a lone node of weight 0 is used at all of its addresses, one of several is not', () => {
  const weightsOf = (...hosts: string[]): readonly number[] =>
    resolveNodes(upstreamOf({ nodes: hosts.map((host) => ({ host, port: 80, weight: 0 })) }), source).nodes.map(({ weight }) => weight);
  assert.deepEqual(weightsOf('a.test'), [0.5, 0.5]);
  assert.deepEqual(weightsOf('10.0.0.3'), [1]);
  assert.deepEqual(weightsOf('a.test', '10.0.0.3'), [0, 0, 0]);
});

test('nodes that are found have the port that is said, or that of the scheme', () => {
  const shop = { service_name: 'shop', discovery_type: 'dns' };
  const portsOf = (fields: JsonObject): number[] => resolveNodes(upstreamOf({ ...shop, ...fields }), source).nodes.map(({ port }) => port);
  assert.deepEqual(portsOf({}), [80, 8080]);
  assert.deepEqual(portsOf({ scheme: 'https' }), [443, 8080]);
  assert.deepEqual(sourceNamesOf(upstreamOf(shop)), ['dns/shop']);
  assert.deepEqual(resolveNodes(upstreamOf({ ...shop, service_name: 'other' }), source), { nodes: [], isComplete: false });
});
