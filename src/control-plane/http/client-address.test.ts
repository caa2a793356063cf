import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkList } from '../../lib/network-list.ts';
import { clientAddress } from './client-address.ts';

const proxies = networkList(['10.0.0.0/8', 'fd00::/8']);
const isTrusted = (address: string) => proxies?.has(address) === true;

test('a client is who connects, and what it says of itself counts only from a trusted proxy', () => {
  for (const [peer, header, client] of [
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['::ffff:192.0.2.1', '198.51.100.1', '192.0.2.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.0.0.1', ' 198.51.100.1 ', '198.51.100.1'],
    // The client wrote the first one itself.
    ['10.0.0.1', '127.0.0.1, 198.51.100.1', '198.51.100.1'],
    ['10.0.0.1', '10.9.9.9, 198.51.100.1, 10.0.0.2,fd00::1', '198.51.100.1'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '2001:DB8:0::1', '2001:db8::1'],
    ['10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['10.0.0.1', '198.51.100.1:5000', '198.51.100.1'],
    // Nothing to go by: the proxy stands for whoever came through it.
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1,', '10.0.0.1'],
    ['10.0.0.1', '198.51.100.1, _hidden, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '198.51.100.1:99999999', '10.0.0.1'],
    ['10.0.0.1', ','.repeat(10_000), '10.0.0.1'],
    ['', '198.51.100.1', ''],
  ] as const) {
    assert.equal(clientAddress(peer, header, isTrusted), client, `${peer} ${header?.slice(0, 60)}`);
  }
});
