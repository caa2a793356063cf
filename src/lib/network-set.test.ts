import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import { formatIPv4, formatIPv6 } from './ip-address.ts';
import { NetworkSet } from './network-set.ts';

/** The same numbers in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('random addresses are in a random set when they are in a list of the same networks', () => {
  const below = numbers(7);
  for (let round = 0; round < 60; round++) {
    // Few different bits, so that networks meet and overlap.
    const ipv4 = () => formatIPv4(10 * 2 ** 24 + below(4) * 2 ** below(24) + below(8));
    const ipv6 = () => formatIPv6([0xfd00 + below(2), below(2) * 2 ** below(16), 0, below(2), 0, 0, below(3), below(4)]);
    const set: string[] = [];
    const list = new BlockList();
    for (let entry = 0; entry < 12; entry++) {
      const [address, family, bits] = below(2) === 0 ? ([ipv4(), 'ipv4', 32] as const) : ([ipv6(), 'ipv6', 128] as const);
      // A network of IPv6 that holds the IPv4-mapped addresses is to hold no IPv4 address, which the list sees otherwise.
      const prefix = below(4) === 0 ? 16 + below(bits - 15) : bits - below(16);
      set.push(prefix === bits && below(2) === 0 ? address : `${address}/${prefix}`);
      list.addSubnet(address, prefix, family);
    }
    const networks = new NetworkSet(set);
    for (let ask = 0; ask < 60; ask++) {
      const [address, family] = below(2) === 0 ? ([ipv4(), 'ipv4'] as const) : ([ipv6(), 'ipv6'] as const);
      assert.equal(networks.has(address), list.check(address, family), `${address} in ${set.join(' ')}`);
    }
  }
});

test('the ends of networks belong to them, and nothing beside them does', () => {
  const set = new NetworkSet(['10.0.0.0/8', '192.168.1.128/25', '0.0.0.0/32', '255.255.255.255', 'fd00::/9', '2001:db8::/127']);
  for (const inside of ['10.0.0.0', '10.255.255.255', '192.168.1.128', '192.168.1.255', '0.0.0.0', '255.255.255.255', 'fd00::'])
    assert.equal(set.has(inside), true, inside);
  for (const inside of ['fd7f:ffff::ffff', '2001:db8::', '2001:db8::1']) assert.equal(set.has(inside), true, inside);
  for (const beside of ['9.255.255.255', '11.0.0.0', '192.168.1.127', '192.168.2.0', '0.0.0.1', '255.255.255.254'])
    assert.equal(set.has(beside), false, beside);
  for (const beside of ['fcff::', 'fd80::', '2001:db8::2', '::', 'localhost', '', '10.0.0', '10.0.0.0.0'])
    assert.equal(set.has(beside), false, beside);
});

test('everything is in a network of no bits, of its own family only', () => {
  assert.deepEqual(
    ['1.2.3.4', '::1'].map((address) => new NetworkSet(['0.0.0.0/0']).has(address)),
    [true, false],
  );
  assert.deepEqual(
    ['1.2.3.4', '::1'].map((address) => new NetworkSet(['::/0']).has(address)),
    [false, true],
  );
});

test('an IPv4 address written as an IPv6 one is the IPv4 address', () => {
  assert.equal(new NetworkSet(['10.0.0.0/8']).has('::ffff:10.1.2.3'), true);
  const set = new NetworkSet(['::ffff:10.0.0.0/104', '::ffff:192.0.2.1']);
  assert.deepEqual(
    ['10.1.2.3', '192.0.2.1', '192.0.2.2', '11.0.0.0'].map((address) => set.has(address)),
    [true, true, false, false],
  );
});
