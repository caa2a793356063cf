import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseControlPlanes } from './control-plane-addresses.ts';

test('control planes are named as host:port or as https URLs, and each counts once', () => {
  assert.deepEqual(parseControlPlanes('cp.example.com:7943'), [{ host: 'cp.example.com', port: 7943 }]);
  assert.deepEqual(parseControlPlanes('https://A:7943, https://b:7944/,[::1]:1,a:7943'), [
    { host: 'a', port: 7943 },
    { host: 'b', port: 7944 },
    { host: '::1', port: 1 },
  ]);
});

test('what names no control plane is refused', () => {
  const refused = [
    '',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'http://a:1',
    'https://a',
    'https://a:1/join',
    'https://u:p@a:1',
    '::1:1',
    'a:1,,b:1',
    'a b:1',
  ];
  for (const text of refused) assert.equal(parseControlPlanes(text), undefined, text);
  assert.equal(parseControlPlanes(Array.from({ length: 17 }, (_, index) => `host-${index}:1`).join()), undefined);
});
