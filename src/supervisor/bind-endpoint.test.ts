import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { StartError } from '../errors/index.ts';
import { bindEndpoint } from './bind-endpoint.ts';

const LOOPBACK = { flag: '--http-port', hosts: ['127.0.0.1'] };

test('all copies of an endpoint share the one port that was free', async (t) => {
  const bound = await bindEndpoint({ ...LOOPBACK, port: 0 }, 3);
  t.after(() => close(bound));
  const sockets = bound.addresses.flatMap((address) => address.sockets);
  assert.equal(sockets.length, 3);
  assert.notEqual(bound.port, 0);
  assert.deepEqual(new Set(sockets.map((socket) => socket.port)), new Set([bound.port]));
  assert.equal(new Set(sockets.map((socket) => socket.fd)).size, 3);
});

test('a bound socket queues nothing until somebody listens on its descriptor', async (t) => {
  const bound = await bindEndpoint({ ...LOOPBACK, port: 0 }, 1);
  t.after(() => close(bound));
  const client = net.connect(bound.port, '127.0.0.1');
  const [error] = await once(client, 'error');
  assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
});

test('a port in use is refused in one sentence that names the port and the flag', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await assert.rejects(bindEndpoint({ ...LOOPBACK, port }, 1), (error) => {
    assert.ok(error instanceof StartError);
    assert.equal(
      error.message,
      `Port ${port} on 127.0.0.1 is in use: end the program that uses it, or choose another port with --http-port.`,
    );
    return true;
  });
});

test('a port that another instance has bound but does not listen on yet is refused too', async (t) => {
  const bound = await bindEndpoint({ ...LOOPBACK, port: 0 }, 1);
  t.after(() => close(bound));
  await assert.rejects(bindEndpoint({ ...LOOPBACK, port: bound.port }, 1), /is in use/);
});

test('an address the machine does not have is named', async () => {
  await assert.rejects(
    bindEndpoint({ flag: '--http-port', port: 0, hosts: ['192.0.2.1'] }, 1),
    /no address 192\.0\.2\.1: correct --http-listen/,
  );
});

test('without addresses both families are served', async (t) => {
  const bound = await bindEndpoint({ flag: '--http-port', port: 0, hosts: [] }, 1);
  t.after(() => close(bound));
  const server = net.createServer((socket) => socket.end('hello'));
  t.after(() => server.close());
  server.listen({ fd: bound.addresses[0]?.sockets[0]?.fd });
  await once(server, 'listening');
  const client = net.connect(bound.port, '127.0.0.1');
  const [data] = await once(client, 'data');
  assert.equal(String(data), 'hello');
});

function close(bound: Awaited<ReturnType<typeof bindEndpoint>>): void {
  for (const { sockets, guard } of bound.addresses) {
    guard.release();
    for (const socket of sockets) socket.close();
  }
}
