import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressFilter } from './address-filter.ts';

test('without a list every address is let in, with one only what lies in it', () => {
  assert.ok(addressFilter([])('192.0.2.1'));
  const isAllowed = addressFilter(['127.0.0.1', '10.0.0.0/8', '2001:db8::/32']);
  for (const address of ['127.0.0.1', '10.200.0.1', '2001:db8::1']) assert.ok(isAllowed(address), address);
  for (const address of ['127.0.0.2', '11.0.0.1', '::1', '2001:db9::1', '', 'nonsense']) assert.ok(!isAllowed(address), address);
});
