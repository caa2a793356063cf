import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { TestCertificate } from '../../test-support/test-certificate.ts';
import type { JsonObject } from '../lib/json.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { routeItem } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';

interface SecureUpstream {
  readonly port: number;
  readonly server: Server;
  readonly bodies: string[];
  /** Connections so far, and how many of them took up a session again. */
  connections: number;
  resumed: number;
}

/** An upstream that answers with what it saw of the connection: name asked for, Host, the client's name, and which connection it is. */
async function startSecureUpstream(t: TestContext, options: Parameters<typeof createServer>[0] & object): Promise<SecureUpstream> {
  const numbers = new WeakMap<object, number>();
  const server = createServer(options, async (request, response) => {
    const socket = request.socket as TLSSocket & { servername?: string | false };
    let body = '';
    for await (const chunk of request) body += String(chunk);
    upstream.bodies.push(body);
    const peer = socket.getPeerCertificate();
    response.end([socket.servername || '-', request.headers.host, peer?.subject?.CN ?? '-', numbers.get(socket)].join(' '));
  });
  server.on('secureConnection', (socket) => {
    numbers.set(socket, ++upstream.connections);
    if (socket.isSessionReused()) upstream.resumed++;
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const upstream: SecureUpstream = { port, server, bodies: [], connections: 0, resumed: 0 };
  return upstream;
}

function service(port: number, upstream: JsonObject = {}, more: JsonObject = {}): SnapshotItem {
  const nodes = [{ host: '127.0.0.1', port, weight: 1 }];
  return { kind: 'service', id: 'service', value: { name: 'service', upstream: { scheme: 'https', nodes, ...upstream }, ...more } };
}

async function start(
  t: TestContext,
  items: readonly SnapshotItem[],
  options: Parameters<typeof startTestGateway>[1] = {},
): Promise<TestGateway> {
  const gateway = await startTestGateway(t, options);
  await gateway.load([routeItem('all', { paths: ['/*'] }), ...items]);
  await gateway.agent.whenReady();
  return gateway;
}

async function bodyOf(gateway: TestGateway, host: string): Promise<string> {
  const answer = await sendRequest(gateway.httpPort, { host });
  assert.equal(answer.status, 200, answer.body);
  return answer.body.replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '');
}

async function refusalOf(gateway: TestGateway, host = 'a.example'): Promise<readonly [number, string]> {
  const answer = await sendRequest(gateway.httpPort, { host });
  return [answer.status, answer.body];
}

const NOT_ACCEPTED = [502, '{"error_msg":"the certificate of the upstream is not accepted"}\n'] as const;
const FAILED = [502, '{"error_msg":"the TLS handshake with the upstream failed"}\n'] as const;

interface BreakingUpstream {
  readonly port: number;
  /** Sends on the connection that came last what is no record; resolves when the gateway has closed it. */
  breakLast(): Promise<void>;
}

/** An upstream that says which connection a request came on, or writes an alert that is not encrypted: before its answer, or inside it. */
async function startBreakingUpstream(t: TestContext, options: object): Promise<BreakingUpstream> {
  const alert = Buffer.from([21, 3, 3, 0, 2, 2, 80]);
  const plain: Socket[] = [];
  const server = createTcpServer((socket) => {
    const number = plain.push(socket);
    socket.on('error', () => {});
    const secure = createTlsServer(options, (inside) => {
      inside.on('error', () => {});
      inside.on('data', (bytes: Buffer) => {
        if (bytes.includes('/broken')) socket.write(alert);
        else if (bytes.includes('/cut')) inside.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.write(alert));
        else inside.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok ${number}`);
      });
    });
    secure.on('tlsClientError', () => {});
    secure.emit('connection', socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of plain) socket.destroy();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    breakLast: async () => {
      const socket = plain.at(-1) ?? assert.fail();
      const closed = once(socket, 'close');
      socket.write(alert);
      await closed;
    },
  };
}

/** An upstream that asks for as many further handshakes as the path says before it answers. */
async function startAskingUpstream(t: TestContext, certificate: TestCertificate): Promise<number> {
  const server = createTlsServer({ ...certificate, maxVersion: 'TLSv1.2' }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes: Buffer) => {
      const asked = Number(/ \/(\d+) /.exec(bytes.toString('latin1'))?.[1]);
      const ask = (done: number): void => {
        if (done === asked) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nasked ${asked}`);
        else socket.renegotiate({}, () => ask(done + 1));
      };
      ask(0);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('an upstream of scheme https', () => {
  test('is asked for by the Host that it gets, without port, and never by an address', async (t) => {
    const authority = await TestAuthority.create();
    const upstream = await startSecureUpstream(t, await authority.issue());
    const gateway = await start(t, [service(upstream.port)]);
    assert.equal(await bodyOf(gateway, 'A.example:9080'), 'a.example A.example:9080 - 1');
    assert.equal(await bodyOf(gateway, 'b.example'), 'b.example b.example - 2');
    assert.equal(await bodyOf(gateway, '127.0.0.1'), '- 127.0.0.1 - 3');
    assert.equal(await bodyOf(gateway, 'a.example'), 'a.example a.example - 1');
    await gateway.change({ op: 'put', item: service(upstream.port, { pass_host: 'rewrite', upstream_host: 'c.example:8443' }) });
    assert.equal(await bodyOf(gateway, 'a.example'), 'c.example c.example:8443 - 4');
    await gateway.change({ op: 'put', item: service(upstream.port, { pass_host: 'node' }) });
    assert.equal(await bodyOf(gateway, 'a.example'), `- 127.0.0.1:${upstream.port} - 3`);
    const rewriting = { 'proxy-rewrite': { host: 'd.example' } };
    await gateway.change({ op: 'put', item: service(upstream.port, {}, { plugins: rewriting }) });
    assert.equal(await bodyOf(gateway, 'a.example'), 'd.example d.example - 5');
  });

  test('is believed as it is unless it is to be verified, by its own authorities and for the name it is asked by', async (t) => {
    const authority = await TestAuthority.create();
    const other = await TestAuthority.create('other');
    const upstream = await startSecureUpstream(t, await authority.issue({ names: ['a.example', '127.0.0.1'] }));
    const authorities: readonly SnapshotItem[] = [
      { kind: 'ca_certificate', id: 'right', value: { cert: authority.cert } },
      { kind: 'ca_certificate', id: 'wrong', value: { cert: other.cert } },
    ];
    const gateway = await start(t, [service(upstream.port), ...authorities]);
    const use = (more: JsonObject): Promise<void> => gateway.change({ op: 'put', item: service(upstream.port, more) });
    assert.match(await bodyOf(gateway, 'b.example'), /^b\.example/);
    await use({ tls_verify: true });
    assert.deepEqual(await refusalOf(gateway), NOT_ACCEPTED);
    await use({ tls_verify: true, ca_certificates: ['wrong'] });
    assert.deepEqual(await refusalOf(gateway), NOT_ACCEPTED);
    await use({ tls_verify: true, ca_certificates: ['right'] });
    assert.match(await bodyOf(gateway, 'a.example'), /^a\.example/);
    assert.deepEqual(await refusalOf(gateway, 'b.example'), NOT_ACCEPTED);
    // A connection that nobody verified is not there for who verifies, nor a session of it.
    await use({ tls_verify: false });
    assert.match(await bodyOf(gateway, 'b.example'), /^b\.example/);
    await use({ tls_verify: true, ca_certificates: ['right'] });
    assert.deepEqual(await refusalOf(gateway, 'b.example'), NOT_ACCEPTED);
    assert.match(await bodyOf(gateway, '127.0.0.1'), /^- 127/);
    const line = gateway.log.lines.find(({ fields }) => fields.code === 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.equal(line?.fields.name, 'b.example');
  });

  test('is verified where it says nothing when the instance says so', async (t) => {
    const authority = await TestAuthority.create();
    const upstream = await startSecureUpstream(t, await authority.issue({ names: ['a.example'] }));
    const gateway = await start(t, [service(upstream.port)], { verifyUpstreams: true });
    assert.deepEqual(await refusalOf(gateway), NOT_ACCEPTED);
    await gateway.change({ op: 'put', item: service(upstream.port, { tls_verify: false }) });
    assert.match(await bodyOf(gateway, 'a.example'), /^a\.example/);
  });

  test('gets the certificate that it is configured with, wherever that stands, and the new one when it is replaced', async (t) => {
    const authority = await TestAuthority.create();
    const server = { ...(await authority.issue()), requestCert: true, rejectUnauthorized: false, ca: authority.cert };
    const upstream = await startSecureUpstream(t, server);
    const issue = (commonName: string): Promise<TestCertificate> => authority.issue({ commonName });
    const inline = await issue('inline');
    const gateway = await start(t, [
      service(upstream.port, { client_certificate: 'c' }),
      { kind: 'certificate', id: 'c', value: { ...(await issue('object')) } },
      { kind: 'ssl', id: 's', value: { type: 'client', ...(await issue('ssl')) } },
    ]);
    assert.match(await bodyOf(gateway, 'a.example'), / object 1$/);
    await gateway.change({ op: 'put', item: { kind: 'certificate', id: 'c', value: { ...(await issue('renewed')) } } });
    assert.match(await bodyOf(gateway, 'a.example'), / renewed 2$/);
    await gateway.change({ op: 'put', item: service(upstream.port, { tls: { client_cert_id: 's' } }) });
    assert.match(await bodyOf(gateway, 'a.example'), / ssl 3$/);
    await gateway.change({ op: 'put', item: service(upstream.port, { tls: { client_cert: inline.cert, client_key: inline.key } }) });
    assert.match(await bodyOf(gateway, 'a.example'), / inline 4$/);
    await gateway.change({ op: 'put', item: service(upstream.port) });
    assert.match(await bodyOf(gateway, 'a.example'), / - 5$/);
    await gateway.change({ op: 'put', item: service(upstream.port, { client_certificate: 'missing' }) });
    assert.deepEqual(await refusalOf(gateway), [503, '{"error_msg":"a certificate for the upstream is missing or cannot be used"}\n']);
    await gateway.change({ op: 'put', item: { kind: 'certificate', id: 'missing', value: { ...(await issue('late')) } } });
    assert.match(await bodyOf(gateway, 'a.example'), / late /);
    assert.doesNotMatch(JSON.stringify(gateway.log.lines), /PRIVATE KEY/);
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`that wants a certificate and gets none, or speaks no TLS, is a failed handshake (${maxVersion})`, async (t) => {
      const authority = await TestAuthority.create();
      const server = { ...(await authority.issue()), requestCert: true, rejectUnauthorized: true, ca: authority.cert, maxVersion };
      const upstream = await startSecureUpstream(t, server);
      const plain = createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
      plain.listen(0, '127.0.0.1');
      await once(plain, 'listening');
      t.after(() => plain.close());
      const gateway = await start(t, [service(upstream.port)]);
      assert.deepEqual(await refusalOf(gateway), FAILED);
      const address = plain.address();
      await gateway.change({ op: 'put', item: service(typeof address === 'object' && address !== null ? address.port : 0) });
      assert.deepEqual(await refusalOf(gateway), FAILED);
    });
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`that breaks off inside TLS has its connection closed, in use and idle (${maxVersion})`, async (t) => {
      const authority = await TestAuthority.create();
      const upstream = await startBreakingUpstream(t, { ...(await authority.issue()), maxVersion });
      const gateway = await start(t, [service(upstream.port, { retries: 0, timeout: { connect: 30, send: 30, read: 30 } })]);
      const broken = await sendRequest(gateway.httpPort, { method: 'POST', target: '/broken' });
      assert.deepEqual([broken.status, broken.body], [502, '{"error_msg":"the upstream closed the connection"}\n']);
      assert.equal((await sendRequest(gateway.httpPort, { method: 'POST', target: '/cut' })).body, 'half');
      assert.equal(await bodyOf(gateway, 'a.example'), 'ok 3');
      assert.equal(await bodyOf(gateway, 'a.example'), 'ok 3');
      await upstream.breakLast();
      // It may be asked for but once, so it is not asked for on what is broken.
      assert.equal((await sendRequest(gateway.httpPort, { method: 'POST' })).body, 'ok 4');
    });
  }

  test('may ask for a few further handshakes of TLS 1.2, and not for one after the other', async (t) => {
    const authority = await TestAuthority.create();
    const asking = await startAskingUpstream(t, await authority.issue());
    const gateway = await start(t, [service(asking, { retries: 0 })]);
    assert.equal((await sendRequest(gateway.httpPort, { target: '/3' })).body, 'asked 3');
    const refused = await sendRequest(gateway.httpPort, { target: '/4' });
    assert.deepEqual([refused.status, refused.body], [502, '{"error_msg":"the upstream closed the connection"}\n']);
  });

  test('keeps its connections, and takes a session up again for new ones', async (t) => {
    const authority = await TestAuthority.create();
    const upstream = await startSecureUpstream(t, await authority.issue());
    const gateway = await start(t, [service(upstream.port, { keepalive_pool: { requests: 2 } })]);
    const numbers: string[] = [];
    for (let request = 0; request < 6; request++) numbers.push((await bodyOf(gateway, 'a.example')).split(' ').at(-1) ?? '');
    assert.deepEqual(numbers, ['1', '1', '2', '2', '3', '3']);
    assert.equal(upstream.resumed, 2);
  });

  test('takes and gives large bodies whole', async (t) => {
    const authority = await TestAuthority.create();
    const large = 'x'.repeat(3_000_000);
    const certificate = await authority.issue();
    const upstream = await startSecureUpstream(t, certificate);
    const sender = createServer(certificate, (_request, response) => response.end(large));
    sender.listen(0, '127.0.0.1');
    await once(sender, 'listening');
    t.after(() => {
      sender.closeAllConnections();
      sender.close();
    });
    const gateway = await start(t, [service(upstream.port)]);
    assert.equal((await sendRequest(gateway.httpPort, { method: 'POST', body: large })).status, 200);
    assert.equal(upstream.bodies[0], large);
    const address = sender.address();
    await gateway.change({ op: 'put', item: service(typeof address === 'object' && address !== null ? address.port : 0) });
    const answer = await sendRequest(gateway.httpPort);
    assert.equal(answer.body.length, large.length);
    assert.equal(answer.body, large);
  });
});
