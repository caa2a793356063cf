import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { textHash } from '../../lib/text-hash.ts';
import { ConsistentHash } from './consistent-hash.ts';

interface Named {
  readonly name: string;
  readonly weight: number;
  readonly priority: number;
}

const KEYS = Array.from({ length: 20_000 }, (_, index) => textHash(`10.${index >> 8}.${index & 255}.7`));

function named(name: string, weight = 1, priority = 0): Named {
  return { name, weight, priority };
}

function ownerNames(nodes: readonly Named[], down?: Uint8Array, tried: readonly number[] = []): (string | undefined)[] {
  const balancer = new ConsistentHash(nodes);
  return KEYS.map((key) => nodes[balancer.next(tried, down, key)]?.name);
}

const nodesArbitrary = fc
  .uniqueArray(fc.integer({ min: 1, max: 250 }), { minLength: 2, maxLength: 12 })
  .chain((hosts) => fc.tuple(...hosts.map((host) => fc.integer({ min: 1, max: 9 }).map((weight) => named(`10.0.0.${host}:80`, weight)))));

test('each node gets its share of the keys by weight, to within a tenth and noise', () => {
  fc.assert(
    fc.property(nodesArbitrary, (nodes) => {
      const owners = ownerNames(nodes);
      const total = nodes.reduce((sum, { weight }) => sum + weight, 0);
      for (const { name, weight } of nodes) {
        const expected = (KEYS.length * weight) / total;
        const got = owners.filter((owner) => owner === name).length;
        assert.ok(Math.abs(got - expected) < expected * 0.1 + 6 * Math.sqrt(expected), `${name}: ${got} of ${expected}`);
      }
    }),
    { numRuns: 30 },
  );
});

test('a node that goes, is down or was tried gives up its own keys and no other moves', () => {
  fc.assert(
    fc.property(nodesArbitrary, fc.nat(), (nodes, pick) => {
      const index = pick % nodes.length;
      const before = ownerNames(nodes);
      const without = ownerNames(nodes.toSpliced(index, 1));
      const down = new Uint8Array(nodes.length);
      down[index] = 1;
      for (const after of [without, ownerNames(nodes, down), ownerNames(nodes, undefined, [index])]) {
        for (const [key, owner] of before.entries()) {
          if (owner === nodes[index]?.name) assert.notEqual(after[key], owner);
          else assert.equal(after[key], owner);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test('a heavier node takes keys from the others only, a lighter one gives up its own only', () => {
  const light = ownerNames([named('a'), named('b', 2), named('c', 3)]);
  const heavy = ownerNames([named('a', 4), named('b', 2), named('c', 3)]);
  for (const [key, owner] of heavy.entries()) assert.ok(owner === 'a' || owner === light[key]);
});

test('the order of the nodes does not matter', () => {
  const nodes = [named('a', 2), named('b', 3), named('c')];
  assert.deepEqual(ownerNames(nodes), ownerNames(nodes.toReversed()));
});

test('lower priorities, weight 0 and lone nodes are as with other balancers', () => {
  const nodes = [named('a', 0), named('b'), named('c', 1, -1)];
  assert.deepEqual(new Set(ownerNames(nodes)), new Set(['b']));
  assert.deepEqual(new Set(ownerNames(nodes, undefined, [1])), new Set(['c']));
  assert.deepEqual(new Set(ownerNames(nodes, undefined, [1, 2])), new Set([undefined]));
  assert.deepEqual(new Set(ownerNames([named('a', 0)])), new Set(['a']));
});

test('among many nodes a key that comes again gets what it would get for the first time, whatever is down or tried by then', () => {
  const nodes = Array.from({ length: 40 }, (_, index) => named(`10.0.1.${index}:80`, 1 + (index % 4)));
  const asked = new ConsistentHash(nodes);
  const index = fc.nat({ max: nodes.length - 1 });
  // Hashes that differ in their upper bits alone have one place, too.
  const key = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 3 })).map(([low, high]) => low | (high << 20) | (high << 30));
  const request = fc.record({ key, tried: fc.uniqueArray(index, { maxLength: 3 }), down: fc.uniqueArray(index, { maxLength: 39 }) });
  fc.assert(
    fc.property(request, (asking) => {
      const down = asking.down.length === 0 ? undefined : new Uint8Array(nodes.length);
      for (const each of asking.down) down?.fill(1, each, each + 1);
      const expected = new ConsistentHash(nodes).next(asking.tried, down, asking.key);
      assert.equal(asked.next(asking.tried, down, asking.key), expected);
      assert.equal(asked.next(asking.tried, down, asking.key), expected);
    }),
    { numRuns: 500 },
  );
});

test('what all upstreams of many nodes remember together does not grow with their number, and none gets what another remembers', () => {
  const nodes = Array.from({ length: 17 }, (_, index) => named(`10.0.2.${index}:80`));
  const turned = [...nodes.slice(1), named('10.0.2.0:80')];
  const before = process.memoryUsage().arrayBuffers;
  const all = Array.from({ length: 2_000 }, (_, index) => new ConsistentHash(index % 2 === 0 ? nodes : turned));
  for (const key of KEYS.slice(0, 20)) {
    const owners = all.map((balancer) => balancer.nodes[balancer.next([], undefined, key)]?.name);
    assert.equal(new Set(owners).size, 1);
  }
  // Tables of their own would be 48 MB.
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 8_000_000, `${grown} bytes`);
});
