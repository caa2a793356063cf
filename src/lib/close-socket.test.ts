import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { closeSocket } from './close-socket.ts';

const linuxOnly = { skip: process.platform !== 'linux' };
const OTHER_THREAD = `
  const { workerData, parentPort } = require('node:worker_threads');
  process.on('warning', (warning) => parentPort.postMessage(String(warning)));
  import(workerData.module).then(({ closeSocket }) => {
    closeSocket(workerData.descriptor, workerData.protocol);
    setImmediate(() => parentPort.postMessage('closed'));
  });
`;

/** What another thread says while it closes the descriptor; afterwards the number is nobody's. */
async function closedElsewhere(t: TestContext, descriptor: number, protocol: 'tcp' | 'udp'): Promise<readonly unknown[]> {
  const module = new URL('./close-socket.ts', import.meta.url).href;
  const worker = new Worker(OTHER_THREAD, { eval: true, workerData: { module, descriptor, protocol } });
  t.after(() => worker.terminate());
  const messages: unknown[] = [];
  worker.on('message', (message) => messages.push(message));
  while (!messages.includes('closed')) await once(worker, 'message');
  return messages;
}

/** Of the handle that Node keeps out of sight; here it stands for one that was inherited. */
function descriptorOf(handle: unknown): number {
  return Reflect.get(Object(handle), 'fd');
}

test('a listening socket of another thread is closed at once, and without a warning', linuxOnly, async (t) => {
  const server = createServer().listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  // It cannot be closed in order: its descriptor is gone, and the number may be another's by then.
  server.unref();
  const descriptor = descriptorOf(Reflect.get(server, '_handle'));
  assert.deepEqual(await closedElsewhere(t, descriptor, 'tcp'), ['closed']);
  assert.throws(() => fstatSync(descriptor), /EBADF/);
});

test('a datagram socket of another thread is closed at once, and without a warning', linuxOnly, async (t) => {
  const socket = createSocket('udp6').bind({ port: 0, address: '::1' });
  await once(socket, 'listening');
  socket.unref();
  const states = Object.getOwnPropertySymbols(socket).map((symbol) => Object(Reflect.get(socket, symbol)));
  const descriptor = descriptorOf(states.find((state) => 'handle' in state)?.handle);
  assert.deepEqual(await closedElsewhere(t, descriptor, 'udp'), ['closed']);
  assert.throws(() => fstatSync(descriptor), /EBADF/);
});

test('what is no socket is not closed', () => {
  const file = openSync(import.meta.filename, 'r');
  try {
    assert.throws(() => closeSocket(file, 'tcp'));
    assert.throws(() => closeSocket(file, 'udp'));
    assert.ok(fstatSync(file).isFile());
  } finally {
    closeSync(file);
  }
});
