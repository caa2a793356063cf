import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { SlowReaders } from './slow-readers.ts';

async function serve(t: TestContext, answer: (response: ServerResponse) => void) {
  const clock = new FakeClock();
  let ended = 0;
  const readers = new SlowReaders(clock, { graceMs: 30_000, leastBytesPerSecond: 10_000_000 }, () => {
    ended += 1;
  });
  const server = createServer((_request, response) => {
    readers.watch(response);
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const ask = async (): Promise<Socket> => {
    const socket = connect(address.port, '127.0.0.1').on('error', () => undefined);
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    return socket;
  };
  return { clock, ask, ended: () => ended };
}

async function lengthOf(socket: Socket): Promise<number> {
  let length = 0;
  socket.on('data', (chunk) => {
    length += chunk.length;
  });
  await once(socket, 'close');
  return length;
}

test('a client that reads a long answer too slowly is cut off, and one that has read it leaves nothing behind', async (t) => {
  const { clock, ask, ended } = await serve(t, (response) => void response.end('x'.repeat(40_000_000)));
  assert.ok((await lengthOf(await ask())) > 40_000_000);
  const slow = await ask();
  await once(slow, 'data');
  slow.pause();
  assert.equal(clock.pendingTasks, 1);
  clock.advance(30_000);
  assert.equal(ended(), 0);
  clock.advance(60_000);
  assert.equal(ended(), 1);
  assert.ok((await lengthOf(slow.resume())) < 40_000_000);
  assert.equal(clock.pendingTasks, 0);
});

test('the time in which an answer is made counts against no reader', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { clock, ask, ended } = await serve(t, (response) => void promise.then(() => response.end('late')));
  const socket = await ask();
  while (clock.pendingTasks === 0) await new Promise(setImmediate);
  clock.advance(600_000);
  assert.equal(ended(), 0);
  resolve();
  assert.ok((await lengthOf(socket)) > 0);
});
