import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress } from './canonical-address.ts';

test('every spelling of an address has one canonical form', () => {
  const spellings: ReadonlyArray<readonly [string, string | undefined]> = [
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7f00:1', '127.0.0.1'],
    ['0:0:0:0:0:ffff:169.254.169.254', '169.254.169.254'],
    ['::ffff:1.2.3.4%eth0', '1.2.3.4'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::', '::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['FE80:0:0:0:0:0:0:1', 'fe80::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0db8::00a1', '2001:db8::a1'],
    ['1::', '1::'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['::1.2.3.4', '::102:304'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['', undefined],
    ['localhost', undefined],
    ['127.1', undefined],
    ['0177.0.0.1', undefined],
    ['1.2.3.4.5', undefined],
    ['256.0.0.1', undefined],
    ['[::1]', undefined],
    ['1::2::3', undefined],
    ['12345::', undefined],
  ];
  for (const [spelling, canonical] of spellings) assert.equal(canonicalAddress(spelling), canonical, spelling);
});

test('canonical IPv6 addresses are addresses, and canonical already', () => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const canonical = canonicalAddress(groups.map((part) => part.toString(16)).join(':')) ?? '';
      assert.ok(isIPv6(canonical) || groups.slice(0, 6).join() === '0,0,0,0,0,65535');
      assert.equal(canonicalAddress(canonical), canonical);
    }),
  );
});
