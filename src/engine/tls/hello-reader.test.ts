import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { recordedHello } from '../testing/recorded-hello.ts';
import { HelloReader, type HelloReading, MAX_HELLO_BYTES } from './hello-reader.ts';

/** What a reader says after these pieces, or as soon as it says anything. */
function read(pieces: readonly Buffer[]): HelloReading {
  const reader = new HelloReader();
  for (const piece of pieces) {
    const reading = reader.push(piece);
    if (reading.kind !== 'incomplete') return reading;
  }
  return { kind: 'incomplete' };
}

function cut(bytes: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
}

/** A vector of RFC 8446. */
function vector(lengthBytes: 1 | 2 | 3, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

function extension(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, value)]);
}

function serverName(name: string): Buffer {
  return extension(0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name, 'latin1'))])));
}

function body(...extensions: readonly Buffer[]): Buffer {
  const start = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1),
    vector(2, Buffer.from([19, 1])),
    vector(1, Buffer.from([0])),
  ]);
  return Buffer.concat([start, vector(2, ...extensions)]);
}

/** The message in records of this length. */
function records(message: Buffer, length = 16_000): Buffer {
  return Buffer.concat(cut(message, length).map((part) => Buffer.concat([Buffer.from([22, 3, 1]), vector(2, part)])));
}

function hello(...extensions: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([1]), vector(3, body(...extensions))]);
}

describe('the hello of a real client', () => {
  test('is read with its name and its protocols, cut into pieces of any length', async () => {
    const bytes = await recordedHello({ servername: 'Api.Example.COM', ALPNProtocols: ['h2', 'http/1.1'] });
    for (const length of [1, 2, 3, 5, 7, 100, bytes.length]) {
      const reading = read(cut(bytes, length));
      assert.equal(reading.kind, 'whole');
      if (reading.kind !== 'whole') continue;
      assert.equal(reading.hello.serverName, 'api.example.com');
      assert.deepEqual(reading.hello.protocols, ['h2', 'http/1.1']);
    }
  });

  test('without a name has none, and all bytes are kept for the handshake', async () => {
    const bytes = await recordedHello({});
    const reader = new HelloReader();
    let reading: HelloReading = { kind: 'incomplete' };
    for (const piece of cut(bytes, 50)) reading = reader.push(piece);
    assert.equal(reading.kind === 'whole' && reading.hello.serverName, undefined);
    assert.deepEqual(reader.bytes, bytes);
  });
});

describe('a hello made by hand', () => {
  test('may be spread over records of one byte', () => {
    const reading = read([records(hello(serverName('a.example')), 1)]);
    assert.equal(reading.kind === 'whole' && reading.hello.serverName, 'a.example');
  });

  test('names a host without its final dot', () => {
    const reading = read([records(hello(serverName('a.example.')))]);
    assert.equal(reading.kind === 'whole' && reading.hello.serverName, 'a.example');
  });

  test('tells the keys of tickets of both kinds', () => {
    const name = Buffer.alloc(16, 1);
    const other = Buffer.alloc(16, 2);
    const identity = Buffer.concat([vector(2, Buffer.concat([other, Buffer.alloc(60)])), Buffer.alloc(4)]);
    const psk = Buffer.concat([vector(2, identity), vector(2, vector(1, Buffer.alloc(32)))]);
    const reading = read([records(hello(extension(35, Buffer.concat([name, Buffer.alloc(80)])), extension(41, psk)))]);
    assert.deepEqual(reading.kind === 'whole' && reading.hello.ticketKeyNames, [name, other]);
  });

  const bad: readonly (readonly [string, Buffer])[] = [
    [
      'two names',
      records(
        hello(
          extension(
            0,
            vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from('a')), Buffer.from([0]), vector(2, Buffer.from('b'))])),
          ),
        ),
      ),
    ],
    ['the same extension twice', records(hello(serverName('a.example'), serverName('b.example')))],
    ['an empty name', records(hello(serverName('')))],
    ['a name with a zero byte', records(hello(serverName('a\0.example')))],
    ['a name that is no host', records(hello(serverName('a/b')))],
    ['an address of IPv6 as a name', records(hello(serverName('::1')))],
    ['a name that is too long', records(hello(serverName('a'.repeat(256))))],
    ['a length that points beyond the end', records(hello(Buffer.from([0, 0, 0, 200, 0])))],
    ['an empty protocol', records(hello(extension(16, vector(2, vector(1)))))],
    ['another message', records(Buffer.concat([Buffer.from([2]), vector(3, body())]))],
    ['bytes behind the extensions', records(Buffer.concat([Buffer.from([1]), vector(3, Buffer.concat([body(), Buffer.from([1])]))]))],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 255, 255])],
    ['a record of another kind', Buffer.from([23, 3, 1, 0, 5])],
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['the hello of SSL 2', Buffer.from([0x80, 0x2e, 1, 3, 1])],
    ['a message that says it is longer than is read', records(Buffer.from([1, 255, 255, 255]))],
  ];
  for (const [what, bytes] of bad) {
    test(`with ${what} is malformed, in one piece and byte by byte`, () => {
      assert.equal(read([bytes]).kind, 'malformed');
      assert.equal(read(cut(bytes, 1)).kind, 'malformed');
    });
  }
});

test('no more is read than a hello may have', () => {
  const reader = new HelloReader();
  const endless = records(Buffer.concat([Buffer.from([1, 0, 63, 240]), Buffer.alloc(20_000)]), 1);
  let pushed = 0;
  for (const piece of cut(endless, 100)) {
    pushed += piece.length;
    if (reader.push(piece).kind === 'incomplete') continue;
    assert.ok(pushed <= MAX_HELLO_BYTES + 100);
    return;
  }
  assert.fail('it read on');
});

test('any bytes, and any change of a good hello, are read without a throw and alike however they are cut', async () => {
  const good = await recordedHello({ servername: 'a.example', ALPNProtocols: ['http/1.1'] });
  const changed = fc
    .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 5 }), fc.nat(good.length))
    .map(([changes, length]) => {
      const bytes = Buffer.from(good);
      for (const [index, value] of changes) bytes[index] = value;
      return bytes.subarray(0, Math.max(1, length));
    });
  const random = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(changed, random), fc.integer({ min: 1, max: 40 }), (bytes, length) => {
      assert.deepEqual(read(cut(bytes, length)), read([bytes]));
    }),
    { numRuns: 2000 },
  );
});
