import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { TestAuthority } from '../../../test-support/test-authority.ts';
import { HttpServer, UpstreamPool } from '../../engine/index.ts';
import { readTlsItem } from '../../schema/index.ts';
import { TicketKeys } from './ticket-keys.ts';
import { TlsItems } from './tls-items.ts';

/** What a gateway's worker is, as far as handshakes go. */
async function startWorker(
  t: TestContext,
  ticketKeys: TicketKeys,
  certificate: { readonly cert: string; readonly key: string },
): Promise<number> {
  const items = new TlsItems({ fallbackName: undefined, ticketKeys, nowMs: () => 0, onProblem: () => {} });
  items.commit(items.prepare(new Map([['ssl/a', readTlsItem('ssl', { snis: ['a.example'], ...certificate })]])));
  const clock = new FakeClock();
  const pool = new UpstreamPool({ clock });
  const handler = { onRequest: () => {}, appendAnswerLines: () => {}, onFinished: () => {} };
  const server = new HttpServer({ handler, pool, serverHeader: undefined, clock });
  t.after(async () => {
    server.stopAccepting();
    server.destroyAll();
    await server.whenIdle();
  });
  return (await server.listen({ host: '127.0.0.1', port: 0 }, items.hosts)).port;
}

async function handshake(t: TestContext, port: number, session?: Buffer): Promise<TLSSocket> {
  const options = { host: '127.0.0.1', port, servername: 'a.example', rejectUnauthorized: false };
  const socket = connect(session === undefined ? options : { ...options, session });
  t.after(() => void socket.destroy());
  await once(socket, 'secureConnect');
  // The server is closed before its clients.
  socket.on('error', () => {});
  return socket;
}

test('a session is taken up by another worker, and after one rotation of the secret, but not after two', async (t) => {
  const certificate = await (await TestAuthority.create()).issue({ names: ['a.example'] });
  const secrets = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), third = Buffer.alloc(0)] = secrets;
  const keys = [new TicketKeys(first), new TicketKeys(first)];
  const ports = await Promise.all(keys.map((each) => startWorker(t, each, certificate)));
  const [one = 0, other = 0] = ports;
  const socket = await handshake(t, one);
  const [session] = await once(socket, 'session');
  assert.equal(socket.isSessionReused(), false);
  assert.equal((await handshake(t, other, session)).isSessionReused(), true);
  for (const each of keys) each.renew(second, first);
  assert.equal((await handshake(t, one, session)).isSessionReused(), true);
  assert.equal((await handshake(t, other, session)).isSessionReused(), true);
  const fresh = await handshake(t, one);
  const [newSession] = await once(fresh, 'session');
  for (const each of keys) each.renew(third, second);
  assert.equal((await handshake(t, one, session)).isSessionReused(), false);
  assert.equal((await handshake(t, other, newSession)).isSessionReused(), true);
});

test('the keys of two policies have nothing in common, and are the same wherever the secret is', () => {
  const keys = new TicketKeys(Buffer.alloc(32, 1));
  const { keys: a, name } = keys.current('a');
  assert.equal(a.length, 48);
  assert.deepEqual(new TicketKeys(Buffer.alloc(32, 1)).current('a').keys, a);
  assert.notDeepEqual(keys.current('b').name, name);
  assert.equal(keys.previous('a'), undefined);
});
