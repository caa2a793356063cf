import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { createDialPolicy } from './dial-policy.ts';

const LOCAL = ['127.0.0.1', '::1', '10.1.2.3', 'fe80::5%eth0', '2001:db8::5'];

function policy(options: { readonly allow?: readonly string[]; readonly deny?: readonly string[] } = {}) {
  return createDialPolicy({ protectedPorts: [7443, 7943], allow: [], deny: [], localAddresses: () => LOCAL, ...options });
}

test('link-local and metadata addresses are denied in every spelling', () => {
  const mayDial = policy();
  const denied = [
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::1',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fd00:ec2::254',
    'fd00:0ec2:0::0254',
    '100.100.100.200',
    '168.63.129.16',
  ];
  for (const address of denied) assert.equal(mayDial(address, 80), false, address);
  for (const address of ['169.253.0.1', '169.255.0.1', 'fec0::1', '10.0.0.1', '100.100.100.201', '64:ff9b::a00:1', '2001:db8::1']) {
    assert.equal(mayDial(address, 80), true, address);
  }
});

test('loopback is allowed, but not where the product itself listens', () => {
  const mayDial = policy({ allow: ['127.0.0.0/8', '10.1.2.3'] });
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:127.0.0.1',
    '0.0.0.0',
    '::',
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '2001:db8::5',
    '::127.0.0.1',
  ]) {
    assert.equal(mayDial(address, 7443), false, `${address} 7443`);
    assert.equal(mayDial(address, 7943), false, `${address} 7943`);
    assert.equal(mayDial(address, 8081), true, `${address} 8081`);
  }
  assert.equal(mayDial('10.1.2.4', 7443), true);
});

test('the protected ports are protected on the addresses that this machine really has', () => {
  const mayDial = createDialPolicy({ protectedPorts: [7443], allow: ['::/0', '0.0.0.0/0'], deny: [] });
  for (const { address } of Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])) {
    assert.equal(mayDial(address, 7443), false, address);
  }
});

test('settings open what is denied by default and deny more; denying wins', () => {
  const mayDial = policy({
    allow: ['169.254.170.2', 'fe80::/10', '192.0.2.0/24'],
    deny: ['192.0.2.7', '10.0.0.0/8', '2001:db8:1::/48', '::ffff:198.51.100.0/120'],
  });
  assert.equal(mayDial('169.254.170.2', 80), true);
  assert.equal(mayDial('169.254.170.3', 80), false);
  assert.equal(mayDial('fe80::9', 80), true);
  assert.equal(mayDial('192.0.2.7', 80), false);
  assert.equal(mayDial('::ffff:10.2.3.4', 80), false);
  assert.equal(mayDial('2001:db8:1::9', 80), false);
  assert.equal(mayDial('2001:db8:2::9', 80), true);
  assert.equal(mayDial('198.51.100.9', 80), false);
});

test('what is no address is never dialled', () => {
  const mayDial = policy();
  for (const address of ['', 'localhost', '127.1', '2130706433', '0x7f.1', '[::1]']) assert.equal(mayDial(address, 80), false, address);
});

test('a setting that is no address is refused', () => {
  for (const entry of ['localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fe80::/129', '10.0.0.0/-1', '']) {
    assert.throws(() => policy({ deny: [entry] }), RangeError, entry);
  }
});
