import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { resetSocket } from './reset-socket.ts';

/** Two ends of one connection, of which the second does not read. */
async function pair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const near = connect(address.port, '127.0.0.1');
  const [far]: Socket[] = await once(server, 'connection');
  assert.ok(far !== undefined);
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

test('the peer of a connection that is reset learns that something is missing', async (t) => {
  const [near, far] = await pair(t);
  resetSocket(near);
  far.resume();
  const [error]: NodeJS.ErrnoException[] = await once(far, 'error');
  assert.equal(error?.code, 'ECONNRESET');
});

test('a connection whose end waits behind bytes that nobody takes closes all the same', async (t) => {
  const [near] = await pair(t);
  near.on('error', () => {});
  near.write(Buffer.alloc(16 * 1024 * 1024));
  near.end();
  assert.equal(near.writableFinished, false);
  resetSocket(near);
  await once(near, 'close');
  assert.equal(Reflect.get(near, '_handle'), null);
});
