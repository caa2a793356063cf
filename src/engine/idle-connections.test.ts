import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CONNECTIONS = 1000;
/**
 * Measured with 10,000 connections: 2.2 KB of heap each before the first request, 2.9 KB after a forwarded one, and 4.4 and 6.5 KB of
 * resident memory. What this guards against is larger by far: a read buffer or a parser that an idle connection holds on to.
 */
const MOST_BYTES = 8 * 1024;

interface Reading {
  readonly connections: number;
  readonly bytes: number;
}

test('an idle connection costs a few kilobytes, before its first request and after it', async (t) => {
  const file = fileURLToPath(new URL('./testing/idle-connections.child.ts', import.meta.url));
  const child = fork(file, { execArgv: ['--expose-gc'] });
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    child.kill();
  });
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
  const read = async (): Promise<Reading> => {
    child.send('read');
    const [reading] = (await once(child, 'message')) as [Reading];
    return reading;
  };
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const ask = async (socket: Socket): Promise<void> => {
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
  };
  await ask(await open());
  const before = await read();
  for (let count = 0; count < CONNECTIONS; count += 50) await Promise.all(Array.from({ length: 50 }, open));
  let silent = await read();
  while (silent.connections <= CONNECTIONS) silent = await read();
  for (const socket of sockets) await ask(socket);
  const served = await read();
  for (const [name, { bytes }] of Object.entries({ silent, served })) {
    const each = (bytes - before.bytes) / CONNECTIONS;
    assert.ok(each < MOST_BYTES, `${name}: ${each} bytes each`);
  }
});
