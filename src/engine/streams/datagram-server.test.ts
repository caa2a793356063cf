import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { UpstreamTarget } from '../exchange.ts';
import { TestAdmission } from '../testing/test-admission.ts';
import { TestStreamHandler } from '../testing/test-streams.ts';
import { DatagramServer } from './datagram-server.ts';

type Cleanup = { after(cleanUp: () => unknown): void };

/** A UDP socket on 127.0.0.1 whose datagrams are taken one after the other. */
class Peer {
  readonly socket: dgram.Socket;
  readonly #datagrams: { readonly text: string; readonly port: number }[] = [];
  /** Whom the last datagram came from. */
  address = '';
  #wakeUps: (() => void)[] = [];

  constructor(socket: dgram.Socket) {
    this.socket = socket;
    socket.on('message', (datagram, { address, port }) => {
      this.address = address;
      this.#datagrams.push({ text: datagram.toString('latin1'), port });
      for (const wakeUp of this.#wakeUps.splice(0)) wakeUp();
    });
  }

  get port(): number {
    return this.socket.address().port;
  }

  async take(): Promise<{ readonly text: string; readonly port: number }> {
    for (;;) {
      const datagram = this.#datagrams.shift();
      if (datagram !== undefined) return datagram;
      await new Promise<void>((resolve) => this.#wakeUps.push(resolve));
    }
  }

  send(text: string, port: number): void {
    this.socket.send(text, port, '127.0.0.1');
  }
}

async function peer(t: Cleanup, host = '127.0.0.1'): Promise<Peer> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return new Peer(socket);
}

async function start(t: Cleanup, admission = new TestAdmission(), mostSessions = 1000) {
  const clock = new FakeClock();
  const handler = new TestStreamHandler();
  const failures: unknown[] = [];
  const server = new DatagramServer({ handler, clock, admission, mostSessions, onFailure: (error) => failures.push(error) });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  return { server, handler, clock, port, admission, failures };
}

function targetOf({ port }: Peer): UpstreamTarget {
  return { address: '127.0.0.1', port };
}

test('each client has a session of its own, and answers find their way back', async (t) => {
  const { server, handler, port } = await start(t);
  const [upstream, one, two] = [await peer(t), await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  one.send('from one', port);
  const first = await upstream.take();
  two.send('from two', port);
  const second = await upstream.take();
  assert.deepEqual([first.text, second.text], ['from one', 'from two']);
  assert.notEqual(first.port, second.port);
  upstream.send('to two', second.port);
  upstream.send('to one', first.port);
  assert.deepEqual(
    [await one.take(), await two.take()],
    [
      { text: 'to one', port },
      { text: 'to two', port },
    ],
  );
  one.send('again', port);
  assert.deepEqual(await upstream.take(), { text: 'again', port: first.port });
  assert.equal(server.openSessions, 2);
  assert.deepEqual(
    handler.clients.map(({ client, protocol }) => [client.remoteAddress, client.remotePort, client.localPort, protocol]),
    [
      ['127.0.0.1', one.port, port, 'udp'],
      ['127.0.0.1', two.port, port, 'udp'],
    ],
  );
});

test('what a stranger sends to the socket of a session reaches no client', async (t) => {
  const { handler, port } = await start(t);
  const [upstream, client, stranger] = [await peer(t), await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  client.send('ask', port);
  const asked = await upstream.take();
  stranger.send('forged', asked.port);
  upstream.send('true', asked.port);
  assert.equal((await client.take()).text, 'true');
});

test('a session that is quiet for too long ends, and the next datagram begins another', async (t) => {
  const { server, handler, clock, port } = await start(t);
  const [upstream, client] = [await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  client.send('one', port);
  const first = await upstream.take();
  upstream.send('answer', first.port);
  await client.take();
  clock.advance(29_000);
  upstream.send('answer', first.port);
  await client.take();
  clock.advance(29_000);
  assert.equal(server.openSessions, 1);
  clock.advance(2000);
  assert.equal(server.openSessions, 0);
  const [facts] = await handler.whenFinished(1);
  assert.deepEqual([facts?.reason, facts?.bytesFromClient, facts?.bytesToClient], [undefined, 3, 12]);
  client.send('two', port);
  assert.equal((await upstream.take()).text, 'two');
});

test('a node on which nobody listens is passed over with what was sent so far', async (t) => {
  const { handler, port } = await start(t);
  const [upstream, client, gone] = [await peer(t), await peer(t), dgram.createSocket('udp4')];
  gone.bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const closed = gone.address().port;
  gone.close();
  await once(gone, 'close');
  handler.targets = [{ address: '127.0.0.1', port: closed }, targetOf(upstream)];
  client.send('query', port);
  const asked = await upstream.take();
  assert.equal(asked.text, 'query');
  upstream.send('answer', asked.port);
  assert.equal((await client.take()).text, 'answer');
});

test('datagrams that come before the decision are sent when it has been made', async (t) => {
  const { handler, port } = await start(t);
  const [upstream, client] = [await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  const decision = Promise.withResolvers<void>();
  const decide = handler.decide;
  handler.decide = async (connection) => {
    await decision.promise;
    return decide(connection);
  };
  client.send('first', port);
  client.send('second', port);
  while (handler.clients.length === 0) await new Promise(setImmediate);
  decision.resolve();
  assert.deepEqual([(await upstream.take()).text, (await upstream.take()).text], ['first', 'second']);
});

test('a full table drops new clients, unless a session has been quiet for a second', async (t) => {
  const admission = new TestAdmission();
  admission.clientLimit = 1;
  const { server, handler, clock, port } = await start(t, admission);
  const [upstream, one, two] = [await peer(t), await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  one.send('one', port);
  await upstream.take();
  two.send('lost', port);
  while (admission.refusals.length === 0) await new Promise(setImmediate);
  assert.deepEqual(admission.refusals, ['too_many_connections']);
  clock.advance(1000);
  two.send('two', port);
  assert.equal((await upstream.take()).text, 'two');
  assert.equal(server.openSessions, 1);
  assert.deepEqual([admission.clients, handler.finished[0]?.reason], [1, 'too_many_connections']);
});

test('a drain leaves new datagrams to others and waits for answers of the node', async (t) => {
  const { server, handler, clock, port, admission } = await start(t);
  const [upstream, client] = [await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  client.send('ask', port);
  const asked = await upstream.take();
  server.stopAccepting();
  client.send('not for this one', port);
  upstream.send('answer', asked.port);
  assert.equal((await client.take()).text, 'answer');
  const idle = server.whenIdle();
  clock.advance(3000);
  await idle;
  while (admission.upstreams > 0) await new Promise(setImmediate);
  assert.deepEqual([admission.clients, handler.clients.length], [0, 1]);
});

test('a refused session answers nothing and holds nothing', async (t) => {
  const { server, handler, port, admission } = await start(t);
  const client = await peer(t);
  handler.decide = () => 'address_forbidden';
  client.send('x', port);
  const [facts] = await handler.whenFinished(1);
  assert.deepEqual([facts?.reason, server.openSessions, admission.clients, admission.upstreams], ['address_forbidden', 0, 0, 0]);
});

test('a session leaves by the address that the way to its node has, not by that of the node', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const { handler, port } = await start(t);
  const [upstream, client] = [await peer(t, '127.0.0.2'), await peer(t)];
  handler.targets = [{ address: '127.0.0.2', port: upstream.port }];
  client.send('ask', port);
  const asked = await upstream.take();
  assert.equal(upstream.address, '127.0.0.1');
  upstream.send('answer', asked.port);
  assert.equal((await client.take()).text, 'answer');
});

test('a node that the kernel refuses is passed over, and ends the session where there is no other', async (t) => {
  const { handler, clock, port, admission, failures } = await start(t);
  const [upstream, one, two] = [await peer(t), await peer(t), await peer(t)];
  // So that a time which was noted is told from one that was not.
  clock.advance(1);
  const broadcast = { address: '255.255.255.255', port: 53 };
  handler.targets = [broadcast];
  one.send('query', port);
  const [facts] = await handler.whenFinished(1);
  assert.deepEqual([facts?.reason, facts?.connectedAtMs], ['connect_failed', 0]);
  handler.targets = [broadcast, targetOf(upstream)];
  two.send('query', port);
  assert.equal((await upstream.take()).text, 'query');
  while (admission.upstreams > 1) await new Promise(setImmediate);
  assert.deepEqual([admission.clients, failures], [1, []]);
});

test('what is thrown while a node is chosen or connected to ends that session alone', async (t) => {
  const { handler, port, admission, failures } = await start(t);
  const [upstream, one, two, three] = [await peer(t), await peer(t), await peer(t), await peer(t)];
  const { nextTarget } = handler;
  handler.nextTarget = () => {
    throw new Error('no target');
  };
  one.send('x', port);
  assert.equal((await handler.whenFinished(1))[0]?.reason, 'internal');
  handler.nextTarget = nextTarget;
  handler.targets = [{ address: '127.0.0.1', port: 0 }];
  two.send('x', port);
  assert.equal((await handler.whenFinished(2))[1]?.reason, 'internal');
  while (admission.upstreams > 0) await new Promise(setImmediate);
  assert.deepEqual([admission.clients, failures.length], [0, 2]);
  handler.targets = [targetOf(upstream)];
  three.send('x', port);
  assert.equal((await upstream.take()).text, 'x');
});

test('a session that only receives does not keep a quiet one from giving way', async (t) => {
  const admission = new TestAdmission();
  admission.clientLimit = 2;
  const { server, handler, clock, port } = await start(t, admission);
  const [upstream, receiver, quiet, third] = [await peer(t), await peer(t), await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  receiver.send('subscribe', port);
  const subscribed = await upstream.take();
  quiet.send('once', port);
  await upstream.take();
  clock.advance(1000);
  upstream.send('news', subscribed.port);
  await receiver.take();
  third.send('third', port);
  assert.equal((await upstream.take()).text, 'third');
  assert.deepEqual([server.openSessions, handler.finished[0]?.client.remotePort], [2, quiet.port]);
});

test('sessions have a ceiling of their own over all sockets, and a new one takes the place of a quiet one of any', async (t) => {
  const { server, handler, clock, port, admission } = await start(t, new TestAdmission(), 2);
  const other = await server.listen({ host: '127.0.0.1', port: 0 });
  const [upstream, one, two, three] = [await peer(t), await peer(t), await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  for (const client of [one, two]) {
    client.send('x', port);
    await upstream.take();
  }
  three.send('lost', other.port);
  while (admission.refusals.length === 0) await new Promise(setImmediate);
  assert.deepEqual([admission.refusals, admission.clients], [['too_many_connections'], 2]);
  clock.advance(1000);
  three.send('three', other.port);
  assert.equal((await upstream.take()).text, 'three');
  assert.deepEqual([server.openSessions, admission.clients, handler.finished[0]?.client.remotePort], [2, 2, one.port]);
});

test('a session that its node has not answered is forgotten after five seconds of quiet', async (t) => {
  const { server, handler, clock, port } = await start(t);
  const [upstream, one, two] = [await peer(t), await peer(t), await peer(t)];
  handler.targets = [targetOf(upstream)];
  one.send('unanswered', port);
  await upstream.take();
  two.send('answered', port);
  upstream.send('answer', (await upstream.take()).port);
  await two.take();
  assert.equal(handler.reached, 1);
  clock.advance(4500);
  assert.equal(server.openSessions, 2);
  clock.advance(500);
  assert.equal(server.openSessions, 1);
  assert.equal(handler.finished[0]?.client.remotePort, one.port);
});
