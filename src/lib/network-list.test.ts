import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkList } from './network-list.ts';

test('an address is in the list by itself or by its network', () => {
  const list = networkList(['10.0.0.0/8', '192.168.1.1', 'fd00::/8', '::1']);
  for (const [address, listed] of [
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.168.1.1', true],
    ['192.168.1.2', false],
    ['fd12::5', true],
    ['::1', true],
    ['::2', false],
  ] as const) {
    assert.equal(list?.has(address), listed, address);
  }
  assert.equal(networkList([]), undefined);
});

test('what is neither an address nor a network is named', () => {
  for (const text of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '::/129', '10.0.0/8', '1.2.3.4/8/8', '1.2.3.4/ 8']) {
    assert.throws(
      () => networkList([text]),
      (error) => error instanceof RangeError && error.message.startsWith(text),
    );
  }
});
