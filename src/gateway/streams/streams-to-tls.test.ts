import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { openStream, streamRouteItem, streamServiceItem } from '../../../test-support/stream-peers.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { TestAuthority } from '../../../test-support/test-authority.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { SnapshotItem } from '../../schema/index.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import { connectSecurely } from '../testing/tls-request.ts';

const TCP = { protocol: 'tcp', host: '127.0.0.1', port: 0 } as const;
const TLS = { protocol: 'tls', host: '127.0.0.1', port: 0 } as const;

/** Greets each connection with the name that it was asked by and the client's common name, and then sends back what it gets. */
async function startGreeter(t: TestContext, options: TlsOptions): Promise<number> {
  const server = createServer(options, (socket) => {
    const { subject } = socket.getPeerCertificate();
    socket.write(`${socket.servername || '-'} ${subject?.CN ?? '-'} ${socket.alpnProtocol || '-'}\n`);
    socket.on('error', () => {});
    socket.pipe(socket);
    t.after(() => socket.destroy());
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function start(t: TestContext, items: readonly SnapshotItem[], more: JsonObject = {}): Promise<TestGateway> {
  const gateway = await startTestGateway(t, { streamAddresses: [TCP, TLS], ...more });
  await gateway.load([streamRouteItem('r', 's'), ...items]);
  await gateway.agent.whenReady();
  return gateway;
}

function service(port: number, upstream: JsonObject = {}): SnapshotItem {
  return streamServiceItem('s', [port], {}, { scheme: 'tls', ...upstream });
}

/** The greeting of the node, or nothing where the connection was reset. */
async function greetingOf(t: TestContext, gateway: TestGateway): Promise<string> {
  const stream = await openStream(t, gateway.streamPorts[0] ?? 0);
  const greeting = await stream.takeThrough('\n').catch(() => '');
  stream.socket.destroy();
  return greeting.trim();
}

test('a node of scheme tls is spoken to over TLS, with what either side says first, whole and with back-pressure', async (t) => {
  const authority = await TestAuthority.create();
  const port = await startGreeter(t, await authority.issue());
  const gateway = await start(t, [service(port)]);
  const stream = await openStream(t, gateway.streamPorts[0] ?? 0);
  assert.equal(await stream.takeThrough('\n'), '- - -\n');
  const large = 'x'.repeat(3_000_000);
  stream.send(`${large}!`);
  stream.socket.end();
  assert.equal(await stream.takeThrough('!'), `${large}!`);
  assert.equal(await stream.takeRest(), '');
});

test('it is asked for by the name that the client asked for, by its own, or by upstream_host', async (t) => {
  const authority = await TestAuthority.create();
  const port = await startGreeter(t, await authority.issue());
  const pair = await authority.issue({ names: ['a.example'] });
  const gateway = await start(t, [service(port), { kind: 'ssl', id: 'a', value: { snis: ['a.example'], ...pair } }]);
  const overTls = async (): Promise<string> => {
    const socket = await connectSecurely(t, gateway.streamPorts[1] ?? 0, { servername: 'a.example' });
    const [greeting] = await once(socket, 'data');
    return String(greeting).trim();
  };
  assert.deepEqual([await greetingOf(t, gateway), await overTls()], ['- - -', 'a.example - -']);
  await gateway.change({ op: 'put', item: service(port, { pass_host: 'node' }) });
  assert.deepEqual([await greetingOf(t, gateway), await overTls()], ['- - -', '- - -']);
  await gateway.change({ op: 'put', item: service(port, { pass_host: 'rewrite', upstream_host: 'b.example:1' }) });
  assert.deepEqual([await greetingOf(t, gateway), await overTls()], ['b.example - -', 'b.example - -']);
  const nodes = [{ host: 'localhost', port, weight: 1 }];
  await gateway.change({ op: 'put', item: service(port, { nodes }) });
  assert.deepEqual([await greetingOf(t, gateway), await overTls()], ['localhost - -', 'a.example - -']);
});

test('it is verified where that is asked for, and gets the client certificate of its upstream', async (t) => {
  const accessLogFile = path.join(await temporaryFolder(t), 'access.log');
  const authority = await TestAuthority.create();
  const server = { ...(await authority.issue({ names: ['a.example'] })), requestCert: true, rejectUnauthorized: false, ca: authority.cert };
  const port = await startGreeter(t, server);
  const gateway = await start(
    t,
    [
      service(port, { client_certificate: 'c' }),
      { kind: 'ca_certificate', id: 'right', value: { cert: authority.cert } },
      { kind: 'ca_certificate', id: 'wrong', value: { cert: (await TestAuthority.create('other')).cert } },
      { kind: 'certificate', id: 'c', value: { ...(await authority.issue({ commonName: 'gateway' })) } },
    ],
    { accessLogFile },
  );
  const greetingWith = async (upstream: JsonObject): Promise<string> => {
    await gateway.change({ op: 'put', item: service(port, { pass_host: 'rewrite', upstream_host: 'a.example', ...upstream }) });
    return greetingOf(t, gateway);
  };
  assert.equal(await greetingOf(t, gateway), '- gateway -');
  assert.equal(await greetingWith({ tls_verify: true, ca_certificates: ['right'] }), 'a.example - -');
  assert.equal(await greetingWith({ tls_verify: true, ca_certificates: ['wrong'] }), '');
  assert.equal(await greetingWith({ tls_verify: true, ca_certificates: ['right'], upstream_host: 'b.example' }), '');
  assert.equal(await greetingWith({ client_certificate: 'missing' }), '');
  await gateway.agent.drain({ delayMs: 0, timeoutMs: 0 });
  const lines = (await readFile(accessLogFile, 'utf8')).trim().split('\n');
  assert.deepEqual(
    lines
      .map((line) => JSON.parse(line).reason)
      .filter((reason) => reason !== undefined && reason !== 'client_aborted' && reason !== 'upstream_closed'),
    ['upstream_certificate_invalid', 'upstream_certificate_invalid', 'upstream_identity_unusable'],
  );
});

test('one that speaks no TLS, and one that is not believed, are passed over for the next', async (t) => {
  const authority = await TestAuthority.create();
  const [good, unbelieved] = [
    await startGreeter(t, await authority.issue({ names: ['a.example'] })),
    await startGreeter(t, await (await TestAuthority.create('other')).issue({ names: ['a.example'] })),
  ];
  const plain = createPlainServer((socket) => {
    socket.on('error', () => {});
    socket.end('no TLS\n');
  });
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  t.after(() => plain.close());
  const address = plain.address();
  const clear = typeof address === 'object' && address !== null ? address.port : 0;
  const nodes = [
    { host: '127.0.0.1', port: clear, weight: 1, priority: 2 },
    { host: '127.0.0.1', port: unbelieved, weight: 1, priority: 1 },
    { host: '127.0.0.1', port: good, weight: 1, priority: 0 },
  ];
  const upstream = { scheme: 'tls', nodes, tls_verify: true, ca_certificates: ['ca'], pass_host: 'rewrite', upstream_host: 'a.example' };
  const gateway = await start(t, [
    streamServiceItem('s', [], {}, upstream),
    { kind: 'ca_certificate', id: 'ca', value: { cert: authority.cert } },
  ]);
  for (let attempt = 0; attempt < 3; attempt++) assert.equal(await greetingOf(t, gateway), 'a.example - -');
});
