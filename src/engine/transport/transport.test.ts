import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { PatternCheck, patternBytes, randomSequence } from '../testing/byte-pattern.ts';
import { ByteStream } from '../testing/byte-stream.ts';
import type { AcceptedConnection } from './accepted-connection.ts';
import { ClientListener } from './client-listener.ts';
import { connectTransport } from './connect-transport.ts';
import { RecordingReceiver } from './testing/recording-receiver.ts';
import { acceptedSubject, connectingSubject, type TransportSubject } from './testing/transport-subjects.ts';
import { TRANSPORT_KINDS, type TransportKind } from './transport-kind.ts';

const SUBJECTS = [
  ...TRANSPORT_KINDS.map((kind) => acceptedSubject(kind)),
  acceptedSubject('documented', true),
  ...(['documented', 'handle'] as const).map(connectingSubject),
];

const PIECE = 128 * 1024;

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/**
 * Writes pattern bytes from one buffer, as long as it is given back, until the kernel takes no more and a little beyond. What
 * encrypts gives nothing back in time, so there it is more than a kernel ever takes.
 */
function writeUntilPending(subject: TransportSubject): { readonly written: number; readonly unflushed: number } {
  const { transport, encrypted } = subject;
  const piecesBehind = encrypted ? 90 : 8;
  let buffer = Buffer.alloc(PIECE);
  let written = 0;
  let unflushed = 0;
  for (let pieces = 0, behind = 0; behind <= piecesBehind; pieces++) {
    assert.ok(pieces < 1000, 'the kernel takes everything');
    patternBytes(1, written, PIECE).copy(buffer);
    written += PIECE;
    if (transport.write(buffer)) {
      buffer.fill(0xdd);
      continue;
    }
    buffer = Buffer.alloc(PIECE);
    unflushed += PIECE;
    behind++;
  }
  return { written, unflushed };
}

/** Takes that many bytes of what `writeUntilPending` wrote. */
async function checkPattern(peer: ByteStream, length: number): Promise<void> {
  const check = new PatternCheck(1);
  while (check.offset < length) {
    const left = length - check.offset;
    check.take(await peer.take((received) => (received.length === 0 ? undefined : Math.min(received.length, left))));
  }
}

for (const subjectMaker of SUBJECTS) {
  const { name, encrypted, make } = subjectMaker;

  test(`${name}: bytes arrive both ways exactly and in order, however they are split`, async (t) => {
    const { transport, receiver, peer } = await make(t);
    const random = randomSequence(7);
    const sent = patternBytes(2, 0, 300_000);
    for (let offset = 0; offset < sent.length; ) {
      const size = 1 + Math.floor(random() * 9000);
      peer.send(sent.subarray(offset, offset + size));
      const piece = Buffer.from(sent.subarray(offset, offset + size));
      if (transport.write(piece)) piece.fill(0xdd);
      offset += size;
      if (random() < 0.3) await turns(1);
    }
    assert.ok((await receiver.whenReceived(sent.length)).equals(sent));
    assert.ok((await peer.takeBytes(sent.length)).equals(sent));
  });

  test(`${name}: nothing arrives while it is paused, and all of it afterwards`, async (t) => {
    const { transport, receiver, peer } = await make(t);
    transport.pause();
    transport.pause();
    const sent = patternBytes(3, 0, 1_000_000);
    peer.send(sent);
    peer.socket.end();
    await turns(20);
    assert.equal(receiver.received.length, 0);
    assert.deepEqual(receiver.events, []);
    transport.resume();
    assert.ok((await receiver.whenReceived(sent.length)).equals(sent));
    await receiver.whenTold('end');
    assert.equal(receiver.received.length, sent.length);
  });

  test(`${name}: pausing inside of a delivery holds what follows back`, async (t) => {
    const { transport, receiver, peer } = await make(t);
    const takeBytes = receiver.onBytes.bind(receiver);
    let deliveries = 0;
    receiver.onBytes = (bytes, length) => {
      deliveries++;
      transport.pause();
      takeBytes(bytes, length);
    };
    const sent = patternBytes(3, 0, 400_000);
    peer.send(sent);
    while (receiver.received.length < sent.length) {
      const before = deliveries;
      await receiver.until(() => deliveries > before);
      await turns(3);
      assert.equal(deliveries, before + 1);
      transport.resume();
    }
    assert.ok(receiver.received.equals(sent));
  });

  test(`${name}: what the kernel does not take is counted, kept unharmed and reported once taken`, async (t) => {
    const subject = await make(t);
    const { transport, receiver, peer } = subject;
    peer.socket.pause();
    const { written, unflushed } = writeUntilPending(subject);
    // What encrypts counts its own way, but never less.
    if (encrypted) assert.ok(transport.pendingBytes >= PIECE);
    else assert.equal(transport.pendingBytes, unflushed);
    assert.ok(transport.takenBytes <= written);
    await turns(5);
    assert.ok(!receiver.events.includes('flushed'));
    peer.socket.resume();
    await checkPattern(peer, written);
    await receiver.whenTold('flushed');
    assert.equal(transport.pendingBytes, 0);
    await turns(5);
    assert.deepEqual(receiver.events, ['flushed']);
    assert.equal(transport.write(Buffer.from('more')), !encrypted);
    assert.equal(await peer.takeThrough('more'), 'more');
  });

  test(`${name}: an end follows everything that was written, and the other direction stays open`, async (t) => {
    const subject = await make(t);
    const { transport, receiver, peer } = subject;
    peer.socket.pause();
    const { written } = writeUntilPending(subject);
    transport.end();
    await turns(3);
    assert.equal(peer.ended, false);
    peer.socket.resume();
    await checkPattern(peer, written);
    assert.equal(await peer.takeRest(), '');
    assert.ok(peer.ended);
    peer.send('still here');
    assert.equal((await receiver.whenReceived(10)).toString(), 'still here');
    assert.ok(!receiver.events.includes('close'));
    peer.socket.end();
    await receiver.whenClosed();
    assert.deepEqual(
      receiver.events.filter((event) => event !== 'flushed'),
      ['end', 'close'],
    );
  });

  test(`${name}: after the peer's end it can still be answered`, async (t) => {
    const { transport, receiver, peer } = await make(t);
    peer.socket.end('question');
    await receiver.whenTold('end');
    assert.equal(receiver.received.toString(), 'question');
    assert.deepEqual(receiver.events, ['end']);
    const flushes = transport.write(Buffer.from('answer')) ? [] : ['flushed'];
    transport.end();
    assert.equal(await peer.takeRest(), 'answer');
    await receiver.whenClosed();
    assert.deepEqual(receiver.events, ['end', ...flushes, 'close']);
  });

  test(`${name}: a reset is an error for the peer, and an orderly close here`, async (t) => {
    const { transport, receiver, peer, peerSocket } = await make(t);
    const failures: (string | undefined)[] = [];
    peerSocket.on('error', (error: NodeJS.ErrnoException) => failures.push(error.code));
    transport.reset();
    await receiver.whenClosed();
    await peer.whenClosed();
    if (!encrypted) assert.deepEqual(failures, ['ECONNRESET']);
    assert.equal(peer.failure, 'ECONNRESET');
    assert.deepEqual(receiver.events, ['close']);
  });

  // What a TLS library says before a reset below it may be taken for an orderly end, so that the three are of plain connections.
  if (!encrypted)
    test(`${name}: a reset by the peer ends it with the system's code`, async (t) => {
      const { receiver, peerSocket } = await make(t);
      peerSocket.resetAndDestroy();
      await receiver.whenClosed();
      assert.deepEqual(receiver.events, ['close ECONNRESET']);
    });

  if (!encrypted)
    test(`${name}: a reset by the peer under pending writes ends it, and they are never reported as taken`, async (t) => {
      const subject = await make(t);
      const { transport, receiver, peer, peerSocket } = subject;
      peer.socket.pause();
      writeUntilPending(subject);
      peerSocket.resetAndDestroy();
      await receiver.whenClosed();
      assert.equal(receiver.events.length, 1);
      assert.match(receiver.events[0] ?? '', /^close (ECONNRESET|EPIPE)$/);
      assert.equal(transport.write(Buffer.from('late')), true);
      await turns(5);
      assert.equal(receiver.events.length, 1);
    });

  if (!encrypted)
    test(`${name}: writing on after a reset that nobody has noticed yet does not throw`, async (t) => {
      const { transport, receiver, peerSocket } = await make(t);
      transport.pause();
      peerSocket.resetAndDestroy();
      await turns(10);
      for (let count = 0; count < 10; count++) {
        transport.write(Buffer.from('anybody there?'));
        await turns(1);
      }
      transport.resume();
      await receiver.whenClosed();
      assert.match(receiver.events[0] ?? '', /^close (ECONNRESET|EPIPE)$/);
      assert.equal(receiver.events.length, 1);
    });

  test(`${name}: given up with pending writes it closes and tells nothing more`, async (t) => {
    const subject = await make(t);
    const { transport, receiver, peer } = subject;
    peer.socket.pause();
    writeUntilPending(subject);
    transport.destroy();
    await receiver.whenClosed();
    transport.write(Buffer.from('late'));
    transport.pause();
    transport.resume();
    transport.end();
    transport.reset();
    transport.destroy();
    await turns(5);
    assert.deepEqual(receiver.events, ['close']);
    peer.socket.resume();
    await peer.takeRest();
    assert.deepEqual(receiver.events, ['close']);
  });

  test(`${name}: given up while bytes arrive it delivers none of them afterwards`, async (t) => {
    const { transport, receiver, peer } = await make(t);
    const takeBytes = receiver.onBytes.bind(receiver);
    let deliveries = 0;
    receiver.onBytes = (bytes, length) => {
      deliveries++;
      takeBytes(bytes, length);
      transport.destroy();
    };
    peer.send(patternBytes(4, 0, 1_000_000));
    await receiver.whenClosed();
    assert.equal(deliveries, 1);
    assert.deepEqual(receiver.events, ['close']);
  });
}

for (const kind of ['documented', 'handle'] satisfies TransportKind[]) {
  test(`a connection to an upstream, ${kind}: what is written before and after it is connected arrives in that order`, async (t) => {
    const accepted = Promise.withResolvers<AcceptedConnection>();
    const readBuffer = Buffer.alloc(65_536);
    const listener = new ClientListener({
      transport: kind,
      tls: undefined,
      readBuffer,
      onAccepted: accepted.resolve,
      onFailure: accepted.reject,
    });
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    t.after(() => listener.close());
    const client = new RecordingReceiver();
    const options = { transport: kind, host: '127.0.0.1', port, readBuffer: Buffer.alloc(65_536) };
    const transport = connectTransport(options, client, () => transport.write(Buffer.from('third')));
    t.after(() => transport.destroy());
    assert.equal(transport.write(Buffer.from('first ')), false);
    assert.equal(transport.write(Buffer.from('second ')), false);
    assert.equal(transport.pendingBytes, 13);
    const server = new RecordingReceiver();
    const accepting = (await accepted.promise).open(server);
    t.after(() => accepting.destroy());
    assert.equal((await server.whenReceived(18)).toString(), 'first second third');
    await client.whenTold('flushed');
    assert.equal(transport.pendingBytes, 0);
  });

  test(`a connection to an upstream, ${kind}: each read goes into the buffer that was asked for behind the one before`, async (t) => {
    const accepted = Promise.withResolvers<AcceptedConnection>();
    const readBuffer = Buffer.alloc(65_536);
    const onFailure = accepted.reject;
    const listener = new ClientListener({ transport: kind, tls: undefined, readBuffer, onAccepted: accepted.resolve, onFailure });
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    t.after(() => listener.close());
    const shared = Buffer.alloc(65_536);
    const own = Buffer.alloc(1000);
    let next = shared;
    const used: Buffer[] = [];
    const client = new RecordingReceiver();
    const takeBytes = client.onBytes.bind(client);
    client.onBytes = (bytes, length) => {
      used.push(bytes);
      // The second and third reads are of the other buffer.
      next = used.length === 1 || used.length === 2 ? own : shared;
      takeBytes(bytes, length);
    };
    const options = { transport: kind, host: '127.0.0.1', port, readBuffer: shared, nextReadBuffer: () => next };
    const transport = connectTransport(options, client, () => {});
    t.after(() => transport.destroy());
    const accepting = (await accepted.promise).open(new RecordingReceiver());
    t.after(() => accepting.destroy());
    const sent = patternBytes(5, 0, 4000);
    for (let offset = 0; offset < sent.length; offset += 1000) {
      accepting.write(Buffer.from(sent.subarray(offset, offset + 1000)));
      await client.whenReceived(offset + 1000);
    }
    assert.ok(client.received.equals(sent));
    assert.deepEqual(
      used.map((bytes) => bytes === own),
      [false, true, true, false],
    );
  });

  test(`a connection to an upstream, ${kind}: one that is refused closes with the system's code`, async (t) => {
    const listener = new ClientListener({
      transport: kind,
      tls: undefined,
      readBuffer: Buffer.alloc(10),
      onAccepted: () => {},
      onFailure: () => {},
    });
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    listener.close();
    const receiver = new RecordingReceiver();
    const transport = connectTransport({ transport: kind, host: '127.0.0.1', port, readBuffer: Buffer.alloc(10) }, receiver, () =>
      assert.fail(),
    );
    t.after(() => transport.destroy());
    transport.write(Buffer.from('lost'));
    await receiver.whenClosed();
    assert.deepEqual(receiver.events, ['close ECONNREFUSED']);
  });
}

for (const kind of TRANSPORT_KINDS) {
  test(`a refused client is closed, ${kind}`, async (t) => {
    const accepted = Promise.withResolvers<AcceptedConnection>();
    const readBuffer = Buffer.alloc(10);
    const listener = new ClientListener({
      transport: kind,
      tls: undefined,
      readBuffer,
      onAccepted: accepted.resolve,
      onFailure: accepted.reject,
    });
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    t.after(() => listener.close());
    const stream = new ByteStream(connect(port, '127.0.0.1'));
    await once(stream.socket, 'connect');
    const { localPort, remotePort } = stream.socket;
    const connection = await accepted.promise;
    assert.equal(connection.remoteAddress, '127.0.0.1');
    assert.equal(connection.remotePort, localPort);
    assert.equal(connection.localPort, remotePort);
    connection.refuse();
    await stream.whenClosed();
  });
}
