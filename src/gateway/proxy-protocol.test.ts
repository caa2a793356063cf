import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openStream, startTcpEcho, streamRouteItem, streamServiceItem } from '../../test-support/stream-peers.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';
import { connectSecurely, getOver } from './testing/tls-request.ts';

const HEADER = 'PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n';
const REQUEST = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n';
const TCP = { protocol: 'tcp', host: '127.0.0.1', port: 0 } as const;
const HEADER_V2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
  Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x67, 0, 80]),
]).toString('latin1');

test('a trusted proxy says who the client is, before plugins, logs and limits', async (t) => {
  const accessLogFile = path.join(await temporaryFolder(t), 'access.log');
  const upstream = await startTestUpstream(t);
  const echo = await startTcpEcho(t, 'echo');
  const gateway = await startTestGateway(t, {
    ...{ streamAddresses: [TCP], proxyProtocol: ['http', 'stream'], trustedAddresses: ['127.0.0.0/8'], accessLogFile },
  });
  const plugins = { 'ip-restriction': { whitelist: ['203.0.113.7'] } };
  await gateway.load([
    serviceItem(upstream.port),
    routeItem('r', { paths: ['/x'], plugins }),
    streamServiceItem('s', [echo.port]),
    streamRouteItem('sr', 's', { remote_addr: '203.0.113.0/24' }),
  ]);
  await gateway.agent.whenReady();
  const [streamPort = 0] = gateway.streamPorts;
  for (const header of [HEADER, HEADER_V2]) {
    const whole = await openStream(t, gateway.httpPort);
    whole.send(header + REQUEST);
    assert.match(await whole.takeRest(), /^HTTP\/1\.1 200 /);
    const pieces = await openStream(t, gateway.httpPort);
    for (const byte of header + REQUEST) await pieces.sendAll(Buffer.from(byte, 'latin1'));
    assert.match(await pieces.takeRest(), /^HTTP\/1\.1 200 /);
    const stream = await openStream(t, streamPort);
    stream.send(`${header}hi`);
    assert.equal(await stream.takeThrough('hi'), 'echo:hi');
    stream.socket.end();
    await stream.takeRest();
  }
  assert.deepEqual(
    [upstream.requests[0]?.headers['x-real-ip'], upstream.requests[0]?.headers['x-forwarded-for']],
    Array(2).fill('203.0.113.7'),
  );
  await gateway.agent.drain({ delayMs: 0, timeoutMs: 0 });
  const lines = (await readFile(accessLogFile, 'utf8')).trim().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).client),
    Array(6).fill('203.0.113.7'),
  );
});

test('a header stands before a TLS handshake, too', async (t) => {
  const authority = await TestAuthority.create();
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t, { proxyProtocol: ['https'], trustedAddresses: ['127.0.0.1'] });
  const pair = await authority.issue({ names: ['a.example'] });
  await gateway.load([
    serviceItem(upstream.port),
    routeItem('r', { paths: ['/x'] }),
    { kind: 'ssl', id: 'a', value: { snis: ['a.example'], ...pair } },
  ]);
  await gateway.agent.whenReady();
  const { socket: plain } = await openStream(t, gateway.httpsPort);
  plain.removeAllListeners('data');
  plain.write(HEADER);
  const socket = await connectSecurely(t, 0, { socket: plain, servername: 'a.example' });
  assert.deepEqual(await getOver(socket, 'a.example', '/x'), { status: 200, body: 'upstream' });
  assert.equal(upstream.requests[0]?.headers['x-real-ip'], '203.0.113.7');
});

test('a proxy without a header, or with a bad one, is not served; others need none and are not believed', async (t) => {
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t, { proxyProtocol: ['http'], trustedAddresses: ['127.0.0.2'] });
  await gateway.load([serviceItem(upstream.port), routeItem('r', { paths: ['/x'] })]);
  await gateway.agent.whenReady();
  const own = await openStream(t, gateway.httpPort);
  own.send(REQUEST);
  assert.match(await own.takeRest(), /^HTTP\/1\.1 200 /);
  const forged = await openStream(t, gateway.httpPort);
  forged.send(HEADER + REQUEST);
  assert.match(await forged.takeRest(), /^HTTP\/1\.1 400 /);
  for (const bytes of [REQUEST, `PROXY TCP4 203.0.113.7\r\n${REQUEST}`, 'PROXY ']) {
    const proxy = await openStream(t, gateway.httpPort, { localAddress: '127.0.0.2' });
    proxy.send(bytes);
    proxy.socket.end();
    assert.equal(await proxy.takeRest(), '');
  }
  assert.equal(upstream.requests.length, 1);
  const closed = () => gateway.log.lines.filter(({ message }) => message === 'a connection of a proxy was closed');
  while (closed().length < 3) await new Promise(setImmediate);
  const refusals = closed();
  assert.deepEqual(
    refusals.map(({ fields }) => [fields.reason, fields.address]),
    Array(3).fill(['bad_proxy_header', '127.0.0.2']),
  );
});
