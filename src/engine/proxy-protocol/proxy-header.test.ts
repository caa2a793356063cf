import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProxyHeader } from './proxy-header.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function binary(command: number, family: number, body: Buffer): Buffer {
  const head = Buffer.from([command, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([SIGNATURE, head, body]);
}

const IPV4 = Buffer.from([192, 0, 2, 1, 10, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb]);
const IPV6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.alloc(16),
  Buffer.from([0x30, 0x39, 0x01, 0xbb]),
]);
const LINE = 'PROXY TCP4 192.0.2.1 10.0.0.1 12345 443\r\n';

const WHOLE: readonly (readonly [string, Buffer, { readonly address: string; readonly port: number } | undefined])[] = [
  ['version 1, IPv4', Buffer.from(LINE), { address: '192.0.2.1', port: 12_345 }],
  ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n'), { address: '2001:db8::1', port: 1 }],
  ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['version 1, unknown with more', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
  ['version 2, IPv4', binary(0x21, 0x11, IPV4), { address: '192.0.2.1', port: 12_345 }],
  ['version 2, IPv6', binary(0x21, 0x21, IPV6), { address: '2001:db8:0:0:0:0:0:1', port: 12_345 }],
  ['version 2 with more', binary(0x21, 0x11, Buffer.concat([IPV4, Buffer.alloc(500)])), { address: '192.0.2.1', port: 12_345 }],
  ['version 2, of the proxy itself', binary(0x20, 0x00, Buffer.alloc(0)), undefined],
  ['version 2, unspecified', binary(0x21, 0x00, Buffer.alloc(12)), undefined],
];

for (const [name, header, client] of WHOLE) {
  test(`${name}: read whole, wherever it is cut, and what comes behind is not its own`, () => {
    const length = header.length;
    for (let cut = 0; cut < length; cut++) assert.deepEqual(readProxyHeader(header.subarray(0, cut)), { kind: 'incomplete' }, `${cut}`);
    assert.deepEqual(readProxyHeader(header), { kind: 'whole', client, length });
    assert.deepEqual(readProxyHeader(Buffer.concat([header, Buffer.from(LINE)])), { kind: 'whole', client, length });
  });
}

test('what is no header, or could be read in two ways, is malformed', () => {
  const lines = [
    'GET / HTTP/1.1\r\n\r\n',
    'proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n',
    'PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 65536 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 -1 2\r\n',
    'PROXY TCP4 192.0.2.01 10.0.0.1 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 192.0.2.1 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n',
    `PROXY UNKNOWN ${'x'.repeat(107)}\r\n`,
  ];
  const binaries = [
    binary(0x22, 0x11, IPV4),
    binary(0x11, 0x11, IPV4),
    binary(0x21, 0x12, IPV4),
    binary(0x21, 0x31, Buffer.alloc(216)),
    binary(0x21, 0x11, IPV4.subarray(1)),
    binary(0x21, 0x21, IPV6.subarray(1)),
    binary(0x21, 0x11, Buffer.alloc(4096)),
    Buffer.from('\r\n\r\n\0\r\nQUIX\n'),
  ];
  for (const header of [...lines.map((line) => Buffer.from(line)), ...binaries]) {
    const { kind } = readProxyHeader(Buffer.concat([header, Buffer.alloc(107, 0x78)]));
    assert.equal(kind, 'malformed', JSON.stringify(header.toString('latin1')));
  }
});
