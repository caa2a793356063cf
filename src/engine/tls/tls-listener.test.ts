import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { TestAuthority } from '../../../test-support/test-authority.ts';
import type { Exchange } from '../exchange.ts';
import { HttpServer, type HttpServerOptions } from '../http-server.ts';
import { fixedTerms } from '../testing/fixed-terms.ts';
import { recordedHello } from '../testing/recorded-hello.ts';
import { answerOf, TestHandler } from '../testing/test-handler.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import type { HandshakeFailure } from './handshake-events.ts';
import type { ServerTerms, TlsChooser } from './server-terms.ts';

interface TestListener {
  readonly port: number;
  readonly server: HttpServer;
  readonly clock: FakeClock;
  readonly seen: Exchange['connection'][];
  /** The failure after those that were taken before. */
  failure(): Promise<HandshakeFailure>;
}

async function startListener(t: TestContext, tls: TlsChooser, options: Partial<HttpServerOptions> = {}): Promise<TestListener> {
  const clock = new FakeClock();
  const pool = new UpstreamPool({ clock });
  const seen: Exchange['connection'][] = [];
  const failures: HandshakeFailure[] = [];
  const waiting: ((failure: HandshakeFailure) => void)[] = [];
  const handler = new TestHandler((exchange) => {
    seen.push(exchange.connection);
    exchange.respond(answerOf(200, 'hello', undefined));
  });
  const server = new HttpServer({
    handler,
    pool,
    serverHeader: 'Portcullis',
    clock,
    onHandshakeFailed: (failure) => {
      const take = waiting.shift();
      if (take === undefined) failures.push(failure);
      else take(failure);
    },
    ...options,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 }, tls);
  t.after(async () => {
    server.stopAccepting();
    server.destroyAll();
    pool.close();
    await server.whenIdle();
  });
  const failure = (): Promise<HandshakeFailure> => {
    const known = failures.shift();
    return known === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(known);
  };
  return { port, server, clock, seen, failure };
}

async function secure(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

async function get(socket: TLSSocket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const [bytes] = await once(socket, 'data');
  return String(bytes).split('\r\n')[0] ?? '';
}

/** The alert with which a client's handshake ends. */
async function refusedWith(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  const [error] = await once(socket, 'error');
  return String(error.code);
}

test('the client that names a host gets the certificate for it, and the handler knows what was agreed on', async (t) => {
  const authority = await TestAuthority.create();
  const contexts = new Map(
    await Promise.all(
      ['a.example', 'b.example'].map(async (name) => [name, createSecureContext(await authority.issue({ names: [name] }))] as const),
    ),
  );
  const listener = await startListener(t, {
    termsFor: ({ serverName = '' }): ServerTerms | undefined => {
      const secureContext = contexts.get(serverName);
      return secureContext && { secureContext, requestsCertificate: false, protocols: ['http/1.1'], policy: serverName };
    },
  });
  for (const name of contexts.keys()) {
    const socket = await secure(t, listener.port, {
      servername: name,
      ca: authority.cert,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    assert.equal(await get(socket), 'HTTP/1.1 200 OK');
    const { tls, encrypted } = listener.seen.at(-1) ?? {};
    assert.equal(encrypted, true);
    assert.equal(tls?.policy, name);
    assert.equal(tls.serverName, name);
    assert.equal(tls.protocol, 'TLSv1.3');
    assert.equal(tls.cipher, socket.getCipher().name);
    assert.equal(tls.alpn, 'http/1.1');
    assert.equal(tls.certificate, undefined);
  }
  assert.equal(await refusedWith(listener.port, { servername: 'c.example' }), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  assert.deepEqual(await listener.failure(), { reason: 'tls_unknown_name', detail: undefined, serverName: 'c.example' });
  assert.equal(
    await refusedWith(listener.port, { servername: 'a.example', ALPNProtocols: ['smtp'] }),
    'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  );
  assert.equal((await listener.failure()).reason, 'tls_handshake_failed');
});

describe('a client certificate is asked for by the terms alone', () => {
  test('and what was shown is known, with what is wrong with it', async (t) => {
    const authority = await TestAuthority.create();
    const stranger = await TestAuthority.create('stranger');
    const between = await (await authority.intermediate('first')).intermediate('second');
    const server = await authority.issue({ names: ['a.example'] });
    const listener = await startListener(t, fixedTerms({ ...server, ca: authority.cert }, { requestsCertificate: true }));
    const shown = async (certificate: { cert: string; key: string } | undefined): Promise<readonly unknown[]> => {
      await get(await secure(t, listener.port, { ...certificate }));
      const { chain, problem } = listener.seen.at(-1)?.tls?.certificate ?? {};
      return [chain?.[0]?.subject.replace('CN=', ''), problem];
    };
    assert.deepEqual(await shown(await authority.issue({ commonName: 'alice' })), ['alice', undefined]);
    assert.deepEqual(await shown(await between.issue({ commonName: 'carol' })), ['carol', undefined]);
    assert.deepEqual(await shown(undefined), [undefined, undefined]);
    assert.deepEqual(await shown(await stranger.issue({ commonName: 'mallory' })), ['mallory', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
    const expired = await authority.issue({ commonName: 'bob', notAfter: new Date(Date.now() - 1000) });
    assert.deepEqual(await shown(expired), ['bob', 'CERT_HAS_EXPIRED']);
  });

  test('and nobody else sees a request for one', async (t) => {
    const authority = await TestAuthority.create();
    const listener = await startListener(t, fixedTerms({ ...(await authority.issue()), ca: authority.cert }));
    await get(await secure(t, listener.port, await authority.issue({ commonName: 'alice' })));
    assert.equal(listener.seen[0]?.tls?.certificate, undefined);
  });
});

describe('a handshake that comes to nothing', () => {
  test('because it is none ends with a reason, and an alert', async (t) => {
    const authority = await TestAuthority.create();
    const listener = await startListener(t, fixedTerms(await authority.issue()));
    const socket = connectTcp({ host: '127.0.0.1', port: listener.port });
    socket.write('GET / HTTP/1.1\r\n\r\n');
    const [bytes] = await once(socket, 'data');
    assert.deepEqual([...bytes], [21, 3, 3, 0, 2, 2, 50]);
    assert.equal((await listener.failure()).reason, 'tls_bad_hello');
    await once(socket, 'close');
  });

  test('because the client is slow ends when its time is over', async (t) => {
    const authority = await TestAuthority.create();
    const listener = await startListener(t, fixedTerms(await authority.issue()));
    const bytes = await recordedHello({});
    const socket = connectTcp({ host: '127.0.0.1', port: listener.port });
    await once(socket, 'connect');
    socket.write(bytes.subarray(0, 20));
    while (listener.server.pendingHandshakes === 0) await new Promise(setImmediate);
    listener.clock.advance(10_500);
    assert.equal((await listener.failure()).reason, 'tls_handshake_timeout');
    assert.equal(listener.server.pendingHandshakes, 0);
    socket.destroy();
  });

  test('because there are too many is the oldest one, and the newest client gets in', async (t) => {
    const authority = await TestAuthority.create();
    const listener = await startListener(t, fixedTerms(await authority.issue()), { limits: { handshakes: 2 } });
    const silent = Array.from({ length: 2 }, () => connectTcp({ host: '127.0.0.1', port: listener.port }));
    t.after(() => silent.forEach((socket) => void socket.destroy()));
    while (listener.server.pendingHandshakes < 2) await new Promise(setImmediate);
    assert.equal(await get(await secure(t, listener.port)), 'HTTP/1.1 200 OK');
    assert.equal((await listener.failure()).reason, 'tls_too_many_handshakes');
    assert.equal(listener.server.pendingHandshakes, 1);
  });

  test('because the terms cannot be had is told as our fault', async (t) => {
    const listener = await startListener(t, {
      termsFor: () => {
        throw new Error('ee key too small');
      },
    });
    assert.equal(await refusedWith(listener.port, {}), 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
    assert.deepEqual(await listener.failure(), { reason: 'tls_certificate_unusable', detail: 'ee key too small', serverName: undefined });
  });

  test('because the client goes away is counted out', async (t) => {
    const authority = await TestAuthority.create();
    const listener = await startListener(t, fixedTerms(await authority.issue()));
    const socket = connectTcp({ host: '127.0.0.1', port: listener.port });
    await once(socket, 'connect');
    while (listener.server.pendingHandshakes === 0) await new Promise(setImmediate);
    socket.destroy();
    assert.equal((await listener.failure()).reason, 'tls_client_gone');
    await listener.server.whenIdle();
  });
});

test('a hello in many small pieces makes a connection', async (t) => {
  const authority = await TestAuthority.create();
  const listener = await startListener(t, fixedTerms(await authority.issue()));
  const relay = connectTcp({ host: '127.0.0.1', port: listener.port, noDelay: true });
  const { Duplex } = await import('node:stream');
  let sent = 0;
  const slow = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const send = async (): Promise<void> => {
        for (let at = 0; at < chunk.length; at++) {
          relay.write(chunk.subarray(at, at + 1));
          if (sent++ < 600) await new Promise(setImmediate);
        }
      };
      void send().then(() => done());
    },
  });
  relay.on('data', (bytes) => slow.push(bytes));
  const socket = connect({ socket: slow, rejectUnauthorized: false });
  t.after(() => {
    socket.destroy();
    relay.destroy();
  });
  await once(socket, 'secureConnect');
  assert.equal(await get(socket), 'HTTP/1.1 200 OK');
});

test('a drain waits for a handshake that is under way, and gives it up in the end', async (t) => {
  const authority = await TestAuthority.create();
  const listener = await startListener(t, fixedTerms(await authority.issue()));
  const socket = connectTcp({ host: '127.0.0.1', port: listener.port });
  t.after(() => socket.destroy());
  while (listener.server.pendingHandshakes === 0) await new Promise(setImmediate);
  listener.server.beginDrain();
  listener.server.stopAccepting();
  let idle = false;
  const ended = listener.server.whenIdle().then(() => {
    idle = true;
  });
  await new Promise(setImmediate);
  assert.equal(idle, false);
  listener.server.destroyAll();
  await ended;
});
